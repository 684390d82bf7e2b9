"""What holds where the two stages differ grossly: both decide; at the region's border surfaces fade."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.distance import signed_distances_mm
from kneecascade.imaging.weights import apply_weights, linear_weights
from kneecascade.preprocessing.blend import Stage, border_ramps, part_of, share_of
from kneecascade.preprocessing.disagreement import FAR, FAR_CROSSING, NEAR_CROSSING, NONE, Disagreement

FARTHEST_MM = 12.0
"""Distances to a surface count no farther than this, about half of what a bone measures across."""


def settle(
    indices: np.ndarray,
    inside: Box,
    coarse: Stage,
    fine: Stage,
    found: Disagreement,
    trace: Trace,
    plan: CascadePlan,
) -> np.ndarray:
    """Writes what holds where the stages differ grossly; targets that the fine stage has found stay.

    Far from the targets the most probable class of both stages' mean; from the region's border over the
    margin surfaces move to that, by signed distances, for the mean of sure probabilities would jump.

    Args:
        indices: uint8 (Z, Y, X) of the region on the native grid, by the fine stage; changed in place.
        inside: the region's native voxels.
        coarse: that stage's answer, the probabilities of targets 0.
        fine: that stage's answer.
        found: the differences.
        trace: of the case.
        plan: names the targets, and says how wide the margin is.

    Returns:
        bool (Z, Y, X): the voxels that were settled.
    """
    settled = np.zeros(indices.shape, dtype=bool)
    kind = found.kind[np.ix_(*_nearest(inside, found.box, trace))]
    part = bounding_box(kind != NONE)
    if part is None:
        return settled
    kind, here = kind[part.slices], indices[part.slices]
    free = (kind != NONE) & ~np.isin(here, plan.labels.indices(plan.targets))
    ramps = border_ramps(inside, trace.native, max(plan.region.blend_mm, plan.region.margin_mm))
    share = share_of(ramps, part)
    far, fading = free & (kind != NEAR_CROSSING), free & (kind != FAR) & (share < 1)
    np.copyto(here, _by_mean(coarse, fine, part), where=far)
    np.copyto(here, _faded(found, share, inside, part, trace), where=fading)
    settled[part.slices] = far | fading
    return settled


def _by_mean(coarse: Stage, fine: Stage, part: Box) -> np.ndarray:
    """Returns the most probable class of both stages' mean in a part of the region."""
    best = np.full(part.shape_zyx, -1, dtype=np.float32)
    winner = np.zeros(part.shape_zyx, dtype=np.uint8)
    for k in range(len(fine[0])):
        total = part_of(coarse, k, part)
        total += part_of(fine, k, part)
        np.copyto(winner, k, where=total > best)
        np.maximum(best, total, out=best)
    return winner


def _faded(found: Disagreement, share: np.ndarray, inside: Box, part: Box, trace: Trace) -> np.ndarray:
    """Returns the class whose signed distances, faded from the coarse stage's to the other, are least."""
    rows = _linear(inside, part, found.box, trace)
    fading = found.kind >= FAR_CROSSING
    best = np.full(part.shape_zyx, np.inf, dtype=np.float32)
    winner = np.zeros(part.shape_zyx, dtype=np.uint8)
    for k in np.union1d(found.coarse[fading], found.fine[fading]).tolist():
        coarse, fine = (
            signed_distances_mm(some == k, found.spacing_mm, FARTHEST_MM)
            for some in (found.coarse, found.fine)
        )
        mixed = apply_weights(coarse, rows)
        mixed += share * apply_weights(fine - coarse, rows)
        np.copyto(winner, k, where=mixed < best)
        np.minimum(best, mixed, out=best)
    return winner


def _nearest(inside: Box, box: Box, trace: Trace) -> list[np.ndarray]:
    """Returns of each axis the coarse voxel that holds each native one, counted in the box."""
    found = []
    axes = zip(inside.slices, box.slices, trace.native.shape_zyx, trace.coarse_shape_zyx, strict=True)
    for s, b, n_native, n_coarse in axes:
        rows = (2 * np.arange(s.start, s.stop) + 1) * n_coarse // (2 * n_native)
        found.append(np.clip(rows, b.start, b.stop - 1) - b.start)
    return found


def _linear(inside: Box, part: Box, box: Box, trace: Trace) -> list[np.ndarray]:
    axes = zip(
        trace.coarse_shape_zyx, trace.native.shape_zyx, inside.start_zyx, part.slices, box.slices, strict=True
    )
    return [
        linear_weights(coarse, native, b.start, b.stop)[start + s.start : start + s.stop]
        for coarse, native, start, s, b in axes
    ]
