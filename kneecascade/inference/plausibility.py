"""Whether targets look as in training: their volumes, and how far they reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Box, Float3
from kneecascade.core.plan import CascadePlan
from kneecascade.imaging.components import bounding_box, plausible_components

MM3_PER_ML = 1000.0
MISSING = 10.0
"""Doubt that a missing target counts; a target of half the least volume counts log 2."""
TOO_FAR = 5.0
"""Doubt that a box beyond every believable one counts: false finds far away, worse than a small volume."""
AXES = ("z", "y", "x")


@dataclass(frozen=True)
class Doubt:
    """What is odd about a segmentation.

    Attributes:
        flags: one line for each oddity; empty where everything is as in training.
        lost: whether a target is missing or too small, so that looking elsewhere may help.
        amount: 0 where everything is as in training; for comparing two segmentations of one image.
    """

    flags: tuple[str, ...] = ()
    lost: bool = False
    amount: float = 0.0


def doubt_of_volumes(volumes_ml: Mapping[str, float], plan: CascadePlan, where: str) -> Doubt:
    """Returns what is odd about the volumes of the targets.

    A target whose least believable volume is 0 (some training case lacked it) may be missing.

    Args:
        volumes_ml: of every target, by name.
        plan: says what is believable.
        where: what measured them, such as "the coarse stage".
    """
    flags, lost, amount = [], False, 0.0
    ranges = zip(plan.targets, plan.region.min_volume_mm3, plan.region.max_volume_mm3, strict=True)
    for name, low, high in ranges:
        ml, low_ml, high_ml = volumes_ml[name], low / MM3_PER_ML, high / MM3_PER_ML
        if low_ml <= ml <= high_ml:
            continue
        lost |= ml < low_ml
        if ml == 0:
            flags.append(f"no {name} found by {where}")
            amount += MISSING
        else:
            flags.append(f"{name}: {ml:.3g} ml by {where}, expected {low_ml:.3g} to {high_ml:.3g} ml")
            amount += (
                math.log(low_ml / ml) if ml < low_ml else min(MISSING, math.log(ml / max(high_ml, 1e-9)))
            )
    return Doubt(tuple(flags), lost, amount)


def doubt_of_extents(classes: np.ndarray, spacing_mm: Float3, plan: CascadePlan) -> float:
    """Returns `TOO_FAR` for each target, and for all together, that reaches farther than the plan believes.

    Pieces below the plan's smallest component are passed over.

    Args:
        classes: class indices (Z, Y, X) on the canonical grid.
        spacing_mm: (z, y, x) of it.
        plan: says what is believable.
    """
    region, boxes, amount = plan.region, [], 0.0
    limits: Sequence[Float3 | None] = region.max_label_extent_mm or (None,) * len(plan.targets)
    voxel_mm3 = math.prod(spacing_mm)
    for name, min_mm3, limit in zip(plan.targets, region.min_component_mm3, limits, strict=True):
        least = max(1, math.ceil(min_mm3 / voxel_mm3 - 1e-6))
        box = bounding_box(plausible_components(classes == plan.labels.index(name), least))
        if box is not None:
            boxes.append(box)
            amount += _too_far(box, spacing_mm, limit) if limit else 0.0
    if not boxes:
        return amount
    start = [min(box.start_zyx[k] for box in boxes) for k in range(3)]
    stop = [max(box.stop_zyx[k] for box in boxes) for k in range(3)]
    together = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    return amount + _too_far(together, spacing_mm, region.max_extent_mm)


def differences(box: Box, spacing_mm: Float3, limit_mm: Sequence[float], rule: str) -> str:
    """Names the axes along which a box breaks a limit, "at least" or "at most"; "" for none."""
    wrong = []
    axes = zip(AXES, box.shape_zyx, spacing_mm, limit_mm, strict=True)
    for axis, voxels, spacing, limit in axes:
        extent = voxels * spacing
        if extent < limit if rule == "at least" else extent > limit:
            wrong.append(f"{extent:.3g} mm along {axis}, expected {rule} {limit:.3g} mm")
    return "; ".join(wrong)


def _too_far(box: Box, spacing_mm: Float3, limit_mm: Float3) -> float:
    edges = zip(box.shape_zyx, spacing_mm, limit_mm, strict=True)
    return TOO_FAR if any(n * mm > limit for n, mm, limit in edges) else 0.0
