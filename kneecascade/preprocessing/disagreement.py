"""Where the two stages differ, about what is no target, by more than the coarse resolution explains.

The fine stage is trained around the targets and sees the region's far corners least; the coarse stage knows
the whole knee, and no detail.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np

from kneecascade.core.geometry import Box, Float3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import scale_box
from kneecascade.imaging.distance import signed_distances_mm

GROSS_VOXELS = 1
"""Coarse voxels by which surfaces may differ: what the coarse resolution explains."""
NO_LIMIT_MM = 1e6
NONE, FAR, FAR_CROSSING, NEAR_CROSSING = 0, 1, 2, 3
"""What a voxel is part of: no difference that counts; one far from the targets; one that reaches the region's
border, there far from the targets or near them."""


@dataclass(frozen=True, eq=False)
class Disagreement:
    """Gross differences on a box of the coarse grid.

    Attributes:
        box: of the coarse grid, around the region.
        coarse: class index of each voxel by the coarse stage, targets left out.
        fine: by the fine stage; far from the targets by the mean of both stages, targets left out.
        kind: uint8, one of the four above.
        spacing_mm: of the coarse grid (z, y, x).
        share: of what either stage gives a label in the box, how much is other by a gross difference far from
            the targets.
        mixed_in: share of the coarse stage that the fine probabilities hold already.
    """

    box: Box
    coarse: np.ndarray
    fine: np.ndarray
    kind: np.ndarray
    spacing_mm: Float3
    share: float
    mixed_in: float = 0.0


def gross_disagreement(
    coarse: np.ndarray,
    fine: np.ndarray,
    region: Box,
    trace: Trace,
    plan: CascadePlan,
    mixed_in: float = 0.0,
) -> Disagreement | None:
    """Finds gross differences; None where there are none, or where only one class is no target.

    A voxel differs grossly if the coarse stage has the fine stage's class nowhere within a coarse voxel.
    What lies as near to such a voxel, and differs at all, goes with it. Inside the region only differences
    far from the targets count, for near them the fine stage knows better; at its border all, and small ones.

    Args:
        coarse: probabilities (K, z, y, x) on the whole coarse grid.
        fine: probabilities (K, z, y, x) on the region's box of the fine grid.
        region: that box.
        trace: of the case.
        plan: names the targets, and says how far is far.
        mixed_in: see `Disagreement`, below 1; the difference meant is that from the fine stage alone.
    """
    targets = plan.labels.indices(plan.targets)
    others = np.asarray([k for k in range(plan.labels.count) if k not in targets])
    if len(others) < 2:
        return None
    box, spacing = scale_box(region, trace.fine_shape_zyx, trace.coarse_shape_zyx), trace.coarse_spacing_mm
    here, joint = coarse[(slice(None), *box.slices)], _at_centres(fine, region, box, trace)
    there = (joint - mixed_in * here) / (1 - mixed_in)
    rest, seen = others[here[others].argmax(axis=0)], there.argmax(axis=0)
    differ = (seen != rest) & np.isin(seen, others) & np.isin(here.argmax(axis=0), others)
    rim = _rim(box, trace, plan.region.blend_mm)
    mask = _around(_gross(differ, rest, seen, spacing) | (differ & rim), differ, spacing)
    if not mask.any():
        return None
    far = signed_distances_mm(np.isin(seen, targets), spacing, NO_LIMIT_MM) >= plan.region.fine_reach_mm
    kind = _kinds(mask, rim, far)
    share = _part(differ & far & (kind > NONE), (rest > 0) | (seen > 0))
    inside = np.where(far, others[(here + there)[others].argmax(axis=0)], joint.argmax(axis=0))
    return Disagreement(box, rest, inside, kind, spacing, share, mixed_in)


def _part(some: np.ndarray, of_all: np.ndarray) -> float:
    return int(some.sum()) / max(1, int(of_all.sum()))


def _kinds(mask: np.ndarray, rim: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Returns what each voxel of the mask is part of."""
    pieces = cc3d.connected_components(mask, connectivity=26)
    crossing = np.isin(pieces, np.unique(pieces[rim & mask]))
    kind = np.where(far, np.where(crossing, FAR_CROSSING, FAR), np.where(crossing, NEAR_CROSSING, NONE))
    return (kind * mask).astype(np.uint8)


def _gross(differ: np.ndarray, rest: np.ndarray, seen: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    gross = np.zeros(differ.shape, dtype=bool)
    for k in np.unique(seen[differ]):
        there = differ & (seen == k)
        gross |= there & (signed_distances_mm(rest == k, spacing_mm, NO_LIMIT_MM) > _reach_mm(spacing_mm))
    return gross


def _around(seeds: np.ndarray, differ: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    """Returns the differing voxels near seeds, and one voxel around: the finer grid's rim belongs to them."""
    if not seeds.any():
        return seeds
    near = differ & (signed_distances_mm(seeds, spacing_mm, NO_LIMIT_MM) <= _reach_mm(spacing_mm))
    return signed_distances_mm(near, (1.0, 1.0, 1.0), NO_LIMIT_MM) < 2


def _reach_mm(spacing_mm: Float3) -> float:
    return GROSS_VOXELS * max(spacing_mm) + 1e-3


def _rim(box: Box, trace: Trace, blend_mm: float) -> np.ndarray:
    """Returns the voxels near a face of the region beyond which the coarse stage alone speaks.

    None where nothing is to blend.
    """
    rim = np.zeros(box.shape_zyx, dtype=bool)
    if blend_mm <= 0:
        return rim
    axes = zip(box.start_zyx, box.stop_zyx, trace.coarse_shape_zyx, trace.coarse_spacing_mm, strict=True)
    for axis, (start, stop, n, mm) in enumerate(axes):
        layers, wide = np.moveaxis(rim, axis, 0), max(1, round(blend_mm / mm))
        layers[:wide] |= start > 0
        layers[-wide:] |= stop < n
    return rim


def _at_centres(fine: np.ndarray, region: Box, box: Box, trace: Trace) -> np.ndarray:
    """Returns the fine probabilities at the centres of the coarse voxels of a box, or nearest to them."""
    rows = []
    axes = zip(box.slices, region.slices, trace.fine_shape_zyx, trace.coarse_shape_zyx, strict=True)
    for s, r, n_fine, n_coarse in axes:
        centres = (2 * np.arange(s.start, s.stop) + 1) * n_fine // (2 * n_coarse)
        rows.append(np.clip(centres, r.start, r.stop - 1) - r.start)
    return fine[:, rows[0][:, None, None], rows[1][:, None], rows[2]]
