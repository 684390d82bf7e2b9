"""Resampling of images and labels between whole grids of one volume, or to a box of the new grid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from kneecascade.core.geometry import Box, Float3, Int3
from kneecascade.imaging.components import bounding_boxes
from kneecascade.imaging.stacking import stacked
from kneecascade.imaging.weights import apply_weights, fraction_weights, image_weights

# A voxel half filled by a sheet 1/1.2 as thick still wins against what lies on either side.
THIN_WEIGHT = 1.5


def target_shape(shape_zyx: Int3, spacing_mm: Float3, target_spacing_mm: Float3) -> Int3:
    """Returns the shape of the grid nearest to a target spacing over the same extent; at least 1."""
    sizes = zip(shape_zyx, spacing_mm, target_spacing_mm, strict=True)
    z, y, x = (max(1, round(n * spacing / target)) for n, spacing, target in sizes)
    return (z, y, x)


def resample_image(
    array_czyx: np.ndarray | Sequence[Any], shape_zyx: Int3, box: Box | None = None
) -> np.ndarray:
    """Resamples a whole image to a whole grid, of which only `box` is computed.

    Args:
        array_czyx: (C, Z, Y, X), the whole image; or channels that become arrays when they are sliced, once.
        shape_zyx: the whole new grid.
        box: the part of the new grid that is wanted; None for all.

    Returns:
        float32 (C, z, y, x) of the box; equal to the same part of the whole result.
    """
    box = box or Box.whole(shape_zyx)
    grids = zip(array_czyx[0].shape, shape_zyx, box.slices, strict=True)
    weights = [image_weights(n_in, n_out)[rows] for n_in, n_out, rows in grids]
    return stacked([apply_weights(channel, weights) for channel in array_czyx])


def label_fractions(
    labels_zyx: np.ndarray, classes: Sequence[int], shape_zyx: Int3, box: Box | None = None
) -> np.ndarray:
    """Returns how much of each new voxel each class fills.

    Args:
        labels_zyx: (Z, Y, X) class indices.
        classes: the classes that are wanted.
        shape_zyx: the whole new grid.
        box: the part of the new grid that is wanted; None for all.

    Returns:
        float32 (K, z, y, x), from 0 to 1; all zero for a class that is absent.
    """
    box = box or Box.whole(shape_zyx)
    result = np.zeros((len(classes), *box.shape_zyx), dtype=np.float32)
    extents = _extents(labels_zyx, max(classes, default=0) + 1)
    for k, index in enumerate(classes):
        where, part = _fraction(labels_zyx, index, extents.get(index), shape_zyx, box)
        result[k][where] = part
    return result


def resample_labels(
    labels_zyx: np.ndarray,
    n_classes: int,
    shape_zyx: Int3,
    thin: Collection[int] = (),
    box: Box | None = None,
) -> np.ndarray:
    """Resamples labels through the fraction of each class; the largest fraction wins.

    Where an axis gets coarser, classes in `thin` weigh 1.5, so that a sheet thinner than a voxel stays
    closed. Ties favour no class (see `weights.fraction_weights`).

    Args:
        labels_zyx: (Z, Y, X) class indices below `n_classes`.
        n_classes: background included.
        shape_zyx: the whole new grid.
        thin: classes that take precedence.
        box: the part of the new grid that is wanted; None for all.

    Returns:
        uint8 (z, y, x) of the box.
    """
    box = box or Box.whole(shape_zyx)
    if labels_zyx.shape == tuple(shape_zyx):
        return labels_zyx[box.slices].astype(np.uint8)
    coarser = any(new < old for new, old in zip(shape_zyx, labels_zyx.shape, strict=True))
    extents = _extents(labels_zyx, n_classes)
    winner = np.zeros(box.shape_zyx, dtype=np.uint8)
    best = np.full(box.shape_zyx, -1, dtype=np.float32)
    rest = np.ones(box.shape_zyx, dtype=np.float32)
    for index in range(1, n_classes):
        where, part = _fraction(labels_zyx, index, extents.get(index), shape_zyx, box)
        rest[where] -= part
        if coarser and index in thin:
            part = part * THIN_WEIGHT
        better = part > np.maximum(best[where], 0)
        np.copyto(winner[where], index, where=better)
        np.copyto(best[where], part, where=better)
    winner[rest >= best] = 0
    return winner


Slices3 = tuple[slice, slice, slice]


def _extents(labels: np.ndarray, n_classes: int) -> dict[int, Slices3]:
    """Returns the bounding box of every class that is there; the whole for the background."""
    boxes = {0: Box.whole(labels.shape), **bounding_boxes(labels, n_classes)}
    return {index: box.slices for index, box in boxes.items()}


def _fraction(
    labels: np.ndarray, index: int, extent: Slices3 | None, shape_zyx: Int3, box: Box
) -> tuple[Slices3, np.ndarray]:
    """Returns the part of the box that a class can reach, and its fractions there."""
    if extent is None:
        nothing = slice(0, 0)
        return (nothing, nothing, nothing), np.zeros((0, 0, 0), dtype=np.float32)
    mask = labels[extent] == index
    where, weights = [], []
    grids = zip(labels.shape, shape_zyx, box.slices, extent, strict=True)
    for n_in, n_out, rows, columns in grids:
        matrix = fraction_weights(n_in, n_out)[rows, columns]
        touched = np.flatnonzero(matrix.any(axis=1))
        reach = slice(int(touched[0]), int(touched[-1]) + 1) if touched.size else slice(0, 0)
        where.append(reach)
        weights.append(matrix[reach])
    return (where[0], where[1], where[2]), apply_weights(mask.view(np.uint8), weights)
