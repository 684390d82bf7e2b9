"""What holds where the two stages differ grossly: both decide; at the region's border surfaces fade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.distance import signed_distances_mm
from kneecascade.imaging.weights import apply_weights, linear_weights
from kneecascade.preprocessing.blend import Stage, border_ramps, largest, part_of, share_of
from kneecascade.preprocessing.disagreement import FAR, FAR_CROSSING, NEAR_CROSSING, NONE, Disagreement
from kneecascade.preprocessing.winners import Weights3

SLICES = 24
"""Of a part of the region that is settled at a time."""
FARTHEST_MM = 12.0
"""Distances to a surface count no farther than this, about half of what a bone measures across."""
Shifts = dict[int, tuple[np.ndarray, np.ndarray]]


def settle(
    indices: np.ndarray,
    inside: Box,
    stages: tuple[Stage, Stage],
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
        stages: the answers of the coarse one, its probabilities of targets 0, and of the fine one.
        found: the differences.
        trace: of the case.
        plan: names the targets, and says how wide the margin is.

    Returns:
        bool (Z, Y, X): the voxels that were settled.
    """
    kind = found.kind[np.ix_(*_nearest(inside, found.box, trace))]
    targets = plan.labels.indices(plan.targets)
    settled = (kind != NONE) & ~np.isin(indices, targets)
    ramps = border_ramps(inside, trace.native, max(plan.region.blend_mm, plan.region.margin_mm))
    shifts, others = _shifts(found), [k for k in range(plan.labels.count) if k not in targets]
    for part in _parts(settled):
        here, free, what = (some[part.slices] for some in (indices, settled, kind))
        share = share_of(ramps, part)
        far, fading = free & (what != NEAR_CROSSING), free & (what != FAR) & (share < 1)
        if far.any():
            np.copyto(here, _by_mean(stages, others, part, found.mixed_in), where=far)
        if fading.any():
            rows = _linear(inside, part, found.box, trace)
            np.copyto(here, _faded(shifts, share, part, rows), where=fading)
        free &= far | fading
    return settled


def _parts(mask: np.ndarray) -> Iterator[Box]:
    """Yields tight boxes that together hold a mask: a single one may be mostly empty."""
    for start in range(0, len(mask), SLICES):
        box = bounding_box(mask[start : start + SLICES])
        if box is not None:
            (z, y, x), (stop, *rest) = box.start_zyx, box.stop_zyx
            yield Box((z + start, y, x), (stop + start, rest[0], rest[1]))


def _by_mean(stages: tuple[Stage, Stage], classes: Sequence[int], part: Box, mixed_in: float) -> np.ndarray:
    """Returns which of some classes is the most probable by both stages' mean in a part of the region."""
    coarse, fine = stages
    # what is mixed in already is not to be counted twice
    more = np.float32(1 - 2 * mixed_in)
    sums = ((k, more * part_of(coarse, k, part) + part_of(fine, k, part)) for k in classes)
    return largest(sums, part.shape_zyx)


def _shifts(found: Disagreement) -> Shifts:
    """Returns of each class in differences that reach the border its signed distances, coarse to fine."""
    fading = found.kind >= FAR_CROSSING
    classes = np.union1d(found.coarse[fading], found.fine[fading]).tolist()
    distances = (
        [signed_distances_mm(some == k, found.spacing_mm, FARTHEST_MM) for some in (found.coarse, found.fine)]
        for k in classes
    )
    return {k: (coarse, fine - coarse) for k, (coarse, fine) in zip(classes, distances, strict=True)}


def _faded(shifts: Shifts, share: np.ndarray, part: Box, rows: Weights3) -> np.ndarray:
    """Returns the class whose signed distances, faded from the coarse stage's to the other, are least."""
    nearness = (
        (k, -(apply_weights(coarse, rows) + share * apply_weights(shift, rows)))
        for k, (coarse, shift) in shifts.items()
    )
    return largest(nearness, part.shape_zyx)


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
