"""Connected components of a mask, its bounding box, boxes between grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cc3d
import numpy as np

from kneecascade.core.geometry import Box, Float3, Int3


def plausible_components(mask_zyx: np.ndarray, min_voxels: int) -> np.ndarray:
    """Keeps the 26-connected components of at least `min_voxels` voxels.

    Returns:
        bool (Z, Y, X); all False where nothing is large enough.
    """
    kept = np.zeros(mask_zyx.shape, dtype=bool)
    box = bounding_box(mask_zyx)
    if box is not None:
        part = np.ascontiguousarray(mask_zyx[box.slices] != 0)
        kept[box.slices] = cc3d.dust(part, threshold=min_voxels, connectivity=26) != 0
    return kept


def count_components(mask_zyx: np.ndarray) -> int:
    """Returns the number of 26-connected components; 0 for an empty mask."""
    box = bounding_box(mask_zyx)
    if box is None:
        return 0
    part = np.ascontiguousarray(mask_zyx[box.slices] != 0)
    return int(cc3d.connected_components(part, connectivity=26, return_N=True)[1])


@dataclass(frozen=True, eq=False)
class Component:
    """A connected piece of one label.

    Attributes:
        label: class index.
        box: its bounding box.
        mask: bool, in the box.
        volume_mm3: of its voxels.
    """

    label: int
    box: Box
    mask: np.ndarray
    volume_mm3: float


def large_components(
    labels_zyx: np.ndarray, indices: Sequence[int], least_mm3: Sequence[float], voxel_mm3: float
) -> list[Component]:
    """Returns the 26-connected components of some labels that are large enough.

    Args:
        labels_zyx: class indices.
        indices: labels to look at.
        least_mm3: smallest volume that counts, one value a label.
        voxel_mm3: volume of a voxel.
    """
    found = []
    for index, least in zip(indices, least_mm3, strict=True):
        pieces = cc3d.connected_components(labels_zyx == index, connectivity=26)
        statistics = cc3d.statistics(pieces)
        for k in range(1, len(statistics["voxel_counts"])):
            volume_mm3 = float(statistics["voxel_counts"][k]) * voxel_mm3
            if volume_mm3 >= least:
                z, y, x = statistics["bounding_boxes"][k]
                box = _box([z.start, y.start, x.start], [z.stop, y.stop, x.stop])
                found.append(Component(index, box, pieces[box.slices] == k, volume_mm3))
    return found


def voxel_mm3(extent_mm: Float3, shape_zyx: Int3) -> float:
    """Returns the volume of one voxel of a grid over an image of these edge lengths."""
    return math.prod(extent_mm) / math.prod(shape_zyx)


def bounding_box(mask_zyx: np.ndarray) -> Box | None:
    """Returns the smallest box that holds every voxel that is not zero; None for an empty mask."""
    plane = np.asarray(mask_zyx.any(axis=0))
    y, x = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not y.size:
        return None
    rows = mask_zyx[:, y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    z = np.flatnonzero(rows.any(axis=(1, 2)))
    return Box((int(z[0]), int(y[0]), int(x[0])), (int(z[-1]) + 1, int(y[-1]) + 1, int(x[-1]) + 1))


def bounding_boxes(labels_zyx: np.ndarray, n_classes: int) -> dict[int, Box]:
    """Returns the bounding box of every class from 1 below `n_classes` that is there."""
    found = ((k, bounding_box(labels_zyx == k)) for k in range(1, n_classes))
    return {k: box for k, box in found if box is not None}


def dilate_box(box: Box, margin_voxels_zyx: Int3, shape_zyx: Int3) -> Box:
    """Returns the box grown by a margin on every side, cut to the grid."""
    start = [max(0, a - m) for a, m in zip(box.start_zyx, margin_voxels_zyx, strict=True)]
    ends = zip(box.stop_zyx, margin_voxels_zyx, shape_zyx, strict=True)
    stop = [min(n, b + m) for b, m, n in ends]
    return _box(start, stop)


def at_least(box: Box, smallest_zyx: Int3, shape_zyx: Int3) -> Box:
    """Returns the box grown about its centre to a smallest shape, moved to stay inside the grid."""
    starts, stops = [], []
    for a, b, small, n in zip(box.start_zyx, box.stop_zyx, smallest_zyx, shape_zyx, strict=True):
        edge = min(n, max(b - a, small))
        start = min(max(0, a - (edge - (b - a)) // 2), n - edge)
        starts.append(start)
        stops.append(start + edge)
    return Box((starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2]))


def scale_box(box: Box, shape_from_zyx: Int3, shape_to_zyx: Int3) -> Box:
    """Returns the smallest box of another grid of the same image that covers the box."""
    pairs = list(zip(shape_from_zyx, shape_to_zyx, strict=True))
    start = [a * new // old for a, (old, new) in zip(box.start_zyx, pairs, strict=True)]
    stop = [-(-b * new // old) for b, (old, new) in zip(box.stop_zyx, pairs, strict=True)]
    return _box(start, stop)


def margin_voxels(margin_mm: float, spacing_mm: Float3) -> Int3:
    """Returns a margin in voxels, rounded up."""
    z, y, x = (math.ceil(margin_mm / step - 1e-6) for step in spacing_mm)
    return (z, y, x)


def _box(start: list[int], stop: list[int]) -> Box:
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
