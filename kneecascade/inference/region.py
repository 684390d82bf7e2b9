"""From the coarse stage's probabilities to the region where the fine stage looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cc3d
import numpy as np
import torch

from kneecascade.core.geometry import Box, Float3, Int3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Region, Trace
from kneecascade.imaging.components import (
    bounding_box,
    dilate_box,
    margin_voxels,
    plausible_components,
    scale_box,
)
from kneecascade.inference.pieces import cluster, grown, label_limits, pieces_together
from kneecascade.inference.plausibility import MM3_PER_ML, differences, doubt_of_volumes, touched_sides

DOUBT_MARGIN = 2.0
"""Margins are multiplied by this where the coarse stage seems to have lost something."""


@dataclass(frozen=True, eq=False)
class _Findings:
    """What the coarse stage found: class indices (0 where dropped), voxel size, reasons for doubt."""

    classes: np.ndarray
    spacing_mm: Float3
    flags: tuple[str, ...]
    lost: bool = False


def find_region(coarse_probabilities: np.ndarray, trace: Trace, plan: CascadePlan) -> Region:
    """Finds the box around everything believable of the targets.

    Each target keeps its 26-connected components of at least the plan's smallest volume. Where their
    common box is larger than any the plan believes, pieces far from the largest are dropped. The box is
    grown by the plan's margin, doubled where something seems lost: a target missing, its volume or
    the box too small, the box cut by the border of the image. Where most targets that every training case
    had are missing no box can be trusted: the region is the whole image.

    Args:
        coarse_probabilities: (K, z, y, x) on the whole coarse grid.
        trace: of the prepared case.
        plan: says targets, margin and what is believable.

    Returns:
        The region on the fine grid, with one flag for each doubt.
    """
    classes = torch.from_numpy(coarse_probabilities).argmax(dim=0).to(torch.uint8).numpy()
    spacing = trace.coarse_spacing_mm
    found = _drop_far_pieces(_keep_components(classes, spacing, plan), plan)
    found = _check_volumes(found, plan)
    box = bounding_box(found.classes)
    if box is None or _most_missing(found.classes, plan):
        return whole_region(trace, (*found.flags, "no region to trust: the whole image was used"))
    found = _check_box(found, box, plan)
    touched = touched_sides(box, trace.coarse_shape_zyx, found.spacing_mm, plan)
    widened = DOUBT_MARGIN if found.lost or touched else 1.0
    grown = _on_fine_grid(box, trace.coarse_shape_zyx, widened * plan.region.margin_mm, trace)
    fraction = grown.voxels / math.prod(trace.fine_shape_zyx)
    return Region(grown, fraction, found.flags, widened=widened, at_border=touched)


def whole_region(trace: Trace, flags: tuple[str, ...] = ()) -> Region:
    """Returns the whole image as region."""
    return Region(Box.whole(trace.fine_shape_zyx), 1.0, flags, whole=True)


def region_around(box: Box, trace: Trace, plan: CascadePlan) -> Box:
    """Returns a box of the native grid on the fine one, grown by the plan's margin."""
    return _on_fine_grid(box, trace.native.shape_zyx, plan.region.margin_mm, trace)


def _most_missing(classes: np.ndarray, plan: CascadePlan) -> bool:
    """Returns whether more than half of the targets that must be there are missing."""
    must = [name for name, low in zip(plan.targets, plan.region.min_volume_mm3, strict=True) if low > 0]
    missing = [name for name in must if not (classes == plan.labels.index(name)).any()]
    return 2 * len(missing) > len(must)


def _keep_components(classes: np.ndarray, spacing_mm: Float3, plan: CascadePlan) -> _Findings:
    """Returns class indices of the targets' components that are large enough and lie together."""
    kept = np.zeros_like(classes)
    flags: list[str] = []
    voxel_mm3 = math.prod(spacing_mm)
    for name, min_mm3, limit in zip(
        plan.targets, plan.region.min_component_mm3, label_limits(plan), strict=True
    ):
        index = plan.labels.index(name)
        min_voxels = max(1, math.ceil(min_mm3 / voxel_mm3 - 1e-6))
        mask = plausible_components(classes == index, min_voxels)
        together = pieces_together(mask, spacing_mm, limit)
        if together is not mask:
            flags.append(f"{name}: pieces far from the largest dropped by the coarse stage")
        kept[together] = index
    return _Findings(kept, spacing_mm, tuple(flags), lost=False)


def _drop_far_pieces(found: _Findings, plan: CascadePlan) -> _Findings:
    """Keeps the pieces around the largest whose common box is believable; says what was dropped."""
    box = bounding_box(found.classes)
    if box is None:
        return found
    limit = grown(plan.region.max_extent_mm, found.spacing_mm)
    too_large = differences(box, found.spacing_mm, limit, "at most")
    if not too_large:
        return found
    pieces = cc3d.connected_components(found.classes != 0, connectivity=26)
    kept = cluster(pieces, found.spacing_mm, limit)
    dropped = int(pieces.max()) - len(kept)
    what = f"{dropped} pieces far from the largest dropped" if dropped else "nothing could be dropped"
    flag = f"coarse pieces too far apart: {too_large}; {what}"
    classes = np.where(np.isin(pieces, kept), found.classes, 0).astype(found.classes.dtype)
    return _Findings(classes, found.spacing_mm, (*found.flags, flag))


def _check_volumes(found: _Findings, plan: CascadePlan) -> _Findings:
    """Flags doubtful volumes; a target that is missing or too small counts as lost."""
    voxel_ml = math.prod(found.spacing_mm) / MM3_PER_ML
    counts = np.bincount(found.classes.reshape(-1), minlength=plan.labels.count)
    volumes = {name: float(counts[plan.labels.index(name)]) * voxel_ml for name in plan.targets}
    doubt = doubt_of_volumes(volumes, plan, "the coarse stage")
    return _Findings(found.classes, found.spacing_mm, (*found.flags, *doubt.flags), doubt.lost)


def _check_box(found: _Findings, box: Box, plan: CascadePlan) -> _Findings:
    """Flags a box that is too small, and the wider margin of whatever seems lost."""
    flags = list(found.flags)
    small = differences(box, found.spacing_mm, plan.region.min_extent_mm, "at least")
    if small:
        flags.append(f"region too small: {small}")
    lost = found.lost or bool(small)
    if lost:
        flags.append(f"margin widened to {DOUBT_MARGIN * plan.region.margin_mm:.3g} mm")
    return _Findings(found.classes, found.spacing_mm, tuple(flags), lost)


def _on_fine_grid(box: Box, shape_zyx: Int3, margin_mm: float, trace: Trace) -> Box:
    """Returns a box of another grid on the fine one, grown by a margin, rounded outwards, clipped."""
    fine = scale_box(box, shape_zyx, trace.fine_shape_zyx)
    return dilate_box(fine, margin_voxels(margin_mm, trace.fine_spacing_mm), trace.fine_shape_zyx)
