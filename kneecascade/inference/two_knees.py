"""Images of both knees, where no tag tells so: the coarse stage finds the targets twice, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cc3d
import numpy as np

from kneecascade.core.geometry import Float3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.errors import ImageError
from kneecascade.imaging.components import bounding_box, plausible_components
from kneecascade.inference.pieces import cluster, grown
from kneecascade.planning.region_rules import MOST_EXTENT

X = 2
LEAST_APART = 0.75
"""Of the widest knee's width; halves of one knee have their centres half a width apart, two knees a whole."""


def require_one_knee(coarse_probabilities: np.ndarray, trace: Trace, plan: CascadePlan) -> None:
    """Checks that the targets are not there twice, next to each other from right to left.

    Pieces are put together to a knee as wide as the widest of training; a second knee is what is left, where
    more than half of the targets that every training case had are believably large in it as well as in the
    first, and its centre lies farther from the first one's than halves of one knee do. Images narrower than
    one knee and a half are not looked at.

    Args:
        coarse_probabilities: (K, z, y, x) on the whole coarse grid.
        trace: of the prepared case.
        plan: says what is believable.

    Raises:
        ImageError: the image shows two knees.
    """
    if trace.native.extent_mm[X] < 1.5 * widest_mm(plan):
        return
    apart_mm = distance_of_two(coarse_probabilities.argmax(axis=0), trace.coarse_spacing_mm, plan)
    if apart_mm:
        raise ImageError(
            f"shows two knees, {apart_mm:.0f} mm apart; cut it between them and give one at a time, each "
            "with its place in space"
        )


def widest_mm(plan: CascadePlan) -> float:
    """Returns how wide, from right to left, the targets of the widest training case are."""
    return plan.region.max_extent_mm[X] / MOST_EXTENT


def distance_of_two(classes: np.ndarray, spacing_mm: Float3, plan: CascadePlan) -> float:
    """Returns how far apart two knees lie in class indices (Z, Y, X); 0 where there are no two."""
    voxel_mm3 = math.prod(spacing_mm)
    kept = np.zeros_like(classes)
    for name, least_mm3 in zip(plan.targets, plan.region.min_component_mm3, strict=True):
        index = plan.labels.index(name)
        kept[plausible_components(classes == index, max(1, math.ceil(least_mm3 / voxel_mm3)))] = index
    pieces = cc3d.connected_components(kept != 0, connectivity=26)
    # knees side by side may touch the limit of what is believable of one, so the widest seen is taken
    z, y, _ = plan.region.max_extent_mm
    limit = grown((z, y, widest_mm(plan)), spacing_mm)
    knees = []
    for _ in range(2):
        if not pieces.any():
            return 0.0
        here = np.isin(pieces, cluster(pieces, spacing_mm, limit))
        if not _is_knee(kept[here], voxel_mm3, plan):
            return 0.0
        knees.append(_centre_mm(here, spacing_mm))
        pieces = cc3d.connected_components((pieces != 0) & ~here, connectivity=26)
    away = np.abs(np.subtract(*knees))
    two = away[X] >= max(away[:X]) and away[X] >= LEAST_APART * widest_mm(plan)
    return float(away[X]) if two else 0.0


def _is_knee(classes: np.ndarray, voxel_mm3: float, plan: CascadePlan) -> bool:
    """Returns whether more than half of the targets that must be there are, as large as in training."""
    least = {name: low for name, low in zip(plan.targets, plan.region.min_volume_mm3, strict=True) if low > 0}
    there = [
        name
        for name, low in least.items()
        if np.count_nonzero(classes == plan.labels.index(name)) * voxel_mm3 >= low
    ]
    return 2 * len(there) > len(least)


def _centre_mm(mask: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    box = bounding_box(mask)
    assert box is not None
    return (np.array(box.start_zyx) + np.array(box.stop_zyx)) / 2 * np.array(spacing_mm)
