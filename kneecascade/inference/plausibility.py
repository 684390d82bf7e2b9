"""Whether targets look as in training: their volumes, and how far they reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kneecascade.core.geometry import Box, Float3, Int3
from kneecascade.core.plan import CascadePlan

MM3_PER_ML = 1000.0
MISSING = 10.0
"""Doubt that a missing target counts; a target of half the least volume counts log 2."""
TOO_FAR = 5.0
"""Doubt that a box beyond every believable one counts: false finds far away, worse than a small volume."""
DIFFERENT = 0.06
"""A well trained model's stages differ about 1 to 6 % in 20 of 21 knees, a poor one's about 7 to 23 %."""
AXES = ("z", "y", "x")
SIDES = (("foot", "head"), ("front", "back"), ("right", "left"))


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

    def __add__(self, other: Doubt) -> Doubt:
        """Returns both doubts together."""
        return Doubt((*self.flags, *other.flags), self.lost or other.lost, self.amount + other.amount)


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


def doubt_of_difference(share: float) -> Doubt:
    """Returns a flag where the stages differ grossly about too much of what is no target.

    Args:
        share: of what either stage gives a label, how much differs grossly, far from the targets.
    """
    if share <= DIFFERENT:
        return Doubt()
    return Doubt((f"the stages differ about {share:.0%} of what lies in the region, far from the targets",))


def differences(box: Box, spacing_mm: Float3, limit_mm: Sequence[float], rule: str) -> str:
    """Names the axes along which a box breaks a limit, "at least" or "at most"; "" for none."""
    wrong = []
    axes = zip(AXES, box.shape_zyx, spacing_mm, limit_mm, strict=True)
    for axis, voxels, spacing, limit in axes:
        extent = voxels * spacing
        if extent < limit if rule == "at least" else extent > limit:
            wrong.append(f"{extent:.3g} mm along {axis}, expected {rule} {limit:.3g} mm")
    return "; ".join(wrong)


def touched_sides(box: Box, shape_zyx: Int3, spacing_mm: Float3, plan: CascadePlan) -> tuple[str, ...]:
    """Names the sides of the image that the targets' box reaches within a voxel, if no training case did.

    A voxel of doubt is given: labels are no more exact.

    Args:
        box: around the targets, on a canonical grid of the whole image.
        shape_zyx: of the grid.
        spacing_mm: (z, y, x) of the grid.
        plan: says how near training cases came.
    """
    touched = []
    gaps_mm = plan.region.min_gap_mm or (math.inf,) * 6
    for k, (low, high) in enumerate(SIDES):
        before, after = box.start_zyx[k], shape_zyx[k] - box.stop_zyx[k]
        for side, voxels, gap_mm in ((low, before, gaps_mm[2 * k]), (high, after, gaps_mm[2 * k + 1])):
            if voxels <= 1 and (voxels + 1) * spacing_mm[k] < gap_mm:
                touched.append(side)
    return tuple(touched)
