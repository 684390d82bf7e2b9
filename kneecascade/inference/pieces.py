"""Pieces of a target that lie too far apart to belong to one knee."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import cc3d
import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Box, Float3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.orientation import to_canonical
from kneecascade.inference.plausibility import TOO_FAR, Doubt, differences

Support = Callable[[np.ndarray], np.ndarray]
LITTLE = 1e-3
NO_LIMIT: Float3 = (math.inf, math.inf, math.inf)


def drop_far_pieces(
    labels: LabelVolume, coarse: np.ndarray, inside: Box, trace: Trace, plan: CascadePlan
) -> Doubt:
    """Takes pieces too far from the main one of their target out of a segmentation; they become background.

    The main piece is the one that the coarse stage's probabilities support most: away from the knee, where
    networks see little in training, the fine stage's largest piece may be a false one.

    Args:
        labels: file values; changed in place.
        coarse: probabilities (K, z, y, x) on the whole coarse grid.
        inside: box of native voxels that holds all targets.
        trace: of the case.
        plan: says how far each target, and all together, reach.

    Returns:
        A flag for each target that lost more than specks, and where all together reach too far.
    """
    view = to_canonical(labels.array, trace.axes_zyx, trace.flips_zyx)[inside.slices]
    spacing, flags, boxes = trace.native.spacing_mm, [], []
    for name, least, limit in zip(
        plan.targets, plan.region.min_component_mm3, label_limits(plan), strict=True
    ):
        mask = view == plan.labels.values[plan.labels.index(name)]
        support = partial(_support, coarse[plan.labels.index(name)], inside, trace)
        kept = pieces_together(mask, spacing, limit, support)
        if kept is not mask:
            lost_mm3 = np.count_nonzero(mask & ~kept) * trace.native.voxel_mm3
            view[mask & ~kept] = 0
            if lost_mm3 >= least:
                ml = f"{lost_mm3 / 1000:.2g} ml"
                flags.append(f"{name}: {ml} far from the main piece dropped after the fine stage")
        boxes.append(bounding_box(kept))
    flags += _too_far_together([box for box in boxes if box], spacing, plan)
    return Doubt(tuple(flags), lost=False, amount=TOO_FAR * len(flags))


def label_limits(plan: CascadePlan) -> Sequence[Float3]:
    """Returns the largest believable extent (z, y, x) of each target in mm; infinite where none is known."""
    return plan.region.max_label_extent_mm or (NO_LIMIT,) * len(plan.targets)


def pieces_together(
    mask: np.ndarray, spacing_mm: Float3, limit_mm: Float3, support: Support | None = None
) -> np.ndarray:
    """Keeps the pieces of one label that lie near enough to belong to one; the mask itself where all do.

    Args:
        mask: bool (Z, Y, X).
        spacing_mm: (z, y, x).
        limit_mm: largest believable extent of the label.
        support: maps numbered pieces (Z, Y, X) to a weight of each, 0 first; None for their sizes.
    """
    box = bounding_box(mask)
    roomy = grown(limit_mm, spacing_mm)
    if box is None or not differences(box, spacing_mm, roomy, "at most"):
        return mask
    pieces = cc3d.connected_components(mask, connectivity=26)
    kept = cluster(pieces, spacing_mm, roomy, support(pieces) if support else None)
    return mask if len(kept) == int(pieces.max()) else np.isin(pieces, kept)


def grown(limit_mm: Float3, spacing_mm: Float3) -> Float3:
    """Adds a voxel: rounding to coarse voxels makes a box look larger than it is."""
    z, y, x = (limit + voxel for limit, voxel in zip(limit_mm, spacing_mm, strict=True))
    return (z, y, x)


def cluster(
    pieces: np.ndarray,
    spacing_mm: Float3,
    max_extent_mm: Sequence[float],
    weights: np.ndarray | None = None,
) -> list[int]:
    """Returns the numbers of the heaviest piece and, from heavy to light, of those that still fit with it.

    Args:
        pieces: numbered from 1, 0 elsewhere.
        spacing_mm: (z, y, x).
        max_extent_mm: largest believable extent of all that is kept.
        weights: of each number, 0 first; None for the pieces' sizes.
    """
    statistics = cc3d.statistics(pieces)
    counts, boxes = statistics["voxel_counts"], statistics["bounding_boxes"]
    heavy = counts if weights is None else weights
    order = sorted(range(1, len(counts)), key=lambda k: -float(heavy[k]))
    kept, low, high = [], None, None
    for k in order:
        start = np.array([s.start for s in boxes[k]])
        stop = np.array([s.stop for s in boxes[k]])
        if low is None or high is None:
            low, high, limit = start, stop, np.maximum((stop - start) * spacing_mm, max_extent_mm)
        elif np.all((np.maximum(high, stop) - np.minimum(low, start)) * spacing_mm <= limit):
            low, high = np.minimum(low, start), np.maximum(high, stop)
        else:
            continue
        kept.append(k)
    return kept


def _support(coarse: np.ndarray, inside: Box, trace: Trace, pieces: np.ndarray) -> np.ndarray:
    """Returns the sum of a label's coarse probability over each piece; any voxel counts a little."""
    places = np.nonzero(pieces)
    axes = zip(places, inside.start_zyx, trace.native.shape_zyx, coarse.shape, strict=True)
    nearest = tuple((where + start) * n // native for where, start, native, n in axes)
    return np.bincount(pieces[places], weights=coarse[nearest] + LITTLE)


def _too_far_together(boxes: Sequence[Box], spacing_mm: Float3, plan: CascadePlan) -> list[str]:
    if not boxes:
        return []
    start = [min(box.start_zyx[k] for box in boxes) for k in range(3)]
    stop = [max(box.stop_zyx[k] for box in boxes) for k in range(3)]
    together = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    limit = grown(plan.region.max_extent_mm, spacing_mm)
    wrong = differences(together, spacing_mm, limit, "at most")
    return [f"targets too far apart by the fine stage: {wrong}"] if wrong else []
