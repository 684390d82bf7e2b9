"""Rotation, scaling and mirroring of a batch: images and labels in one resampling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from kneecascade.core.geometry import Float3, Int3

SLAB_VOXELS = 1 << 16  # resampled at a time on a CPU, so that intermediate arrays stay in its cache
THICK_SLICES = 3.0  # beyond this ratio of spacings turns stay inside the slices


def affine_matrix(angles_rad: Float3, scales: Float3, spacing_mm: Float3) -> np.ndarray:
    """Returns the 3x3 matrix from offsets in the result to offsets in the source, in voxels (z, y, x).

    Turns about the axes z, then y, then x, and scales are in mm, so a turned sphere stays a sphere
    on an anisotropic grid. A scale over 1 shows the object larger.
    """
    matrix = np.eye(3)
    for axis, angle in enumerate(angles_rad):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = math.cos(angle)
        turn[a, b], turn[b, a] = -math.sin(angle), math.sin(angle)
        matrix = turn @ matrix
    spacing = np.asarray(spacing_mm)
    inner = matrix @ np.diag(1 / np.asarray(scales))
    return inner * spacing[None, :] / spacing[:, None]


def allowed_turns(spacing_mm: Float3) -> tuple[bool, bool, bool]:
    """Says about which axes (z, y, x) a turn makes sense: with thick slices, about their normal only."""
    if max(spacing_mm) <= THICK_SLICES * min(spacing_mm):
        return (True, True, True)
    thickest = spacing_mm.index(max(spacing_mm))
    return (thickest == 0, thickest == 1, thickest == 2)


def cut_centre(array: torch.Tensor, shape_zyx: Int3) -> torch.Tensor:
    """Returns the centre of the last three axes, a view."""
    for axis, size in zip((-3, -2, -1), shape_zyx, strict=True):
        array = array.narrow(axis, (array.shape[axis] - size) // 2, size)
    return array


def resample_affine(
    image: torch.Tensor, labels: torch.Tensor, matrix: np.ndarray, shape_zyx: Int3
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples one image linearly and its labels at the nearest voxel, around the common centre.

    Gathering by index in slabs that stay in the cache takes 40 % of the time of two `grid_sample`
    calls on a CPU.

    Args:
        image: float32 (C, Z, Y, X), larger than the result so that turned corners stay inside; at
            least two voxels along each axis.
        labels: uint8 (Z, Y, X).
        matrix: from `affine_matrix`.
        shape_zyx: shape of the result.

    Returns:
        Image and labels of that shape; what lies outside the source repeats its edge.
    """
    moved = image.new_empty((len(image), *shape_zyx))
    kept = labels.new_empty(shape_zyx)
    channels, flat = image.reshape(len(image), -1), labels.reshape(-1)
    slab = (
        max(1, SLAB_VOXELS // (shape_zyx[1] * shape_zyx[2])) if image.device.type == "cpu" else shape_zyx[0]
    )
    for start in range(0, shape_zyx[0], slab):
        rows = range(start, min(start + slab, shape_zyx[0]))
        points = _source_points(matrix, shape_zyx, rows, image)
        kept[rows.start : rows.stop] = _nearest(flat, points, image.shape[1:])
        moved[:, rows.start : rows.stop] = _linear(channels, points, image.shape[1:])
    return moved, kept


def resample_nearest(
    labels: torch.Tensor, matrix: np.ndarray, shape_zyx: Int3, moved: torch.Tensor | None = None
) -> torch.Tensor:
    """Samples labels alone at the nearest voxel, around the common centre.

    Args:
        labels: uint8 (Z, Y, X).
        matrix: from `affine_matrix`.
        shape_zyx: shape of the result.
        moved: float32 (3, *shape), voxels by which each place in the source is displaced; None for none.

    Returns:
        Labels of that shape; what lies outside the source repeats its edge.
    """
    kept = labels.new_empty(shape_zyx)
    source = labels.new_empty((1, *labels.shape), dtype=torch.float32)
    slab = max(1, SLAB_VOXELS // (shape_zyx[1] * shape_zyx[2])) if not labels.is_cuda else shape_zyx[0]
    for start in range(0, shape_zyx[0], slab):
        rows = range(start, min(start + slab, shape_zyx[0]))
        points = _source_points(matrix, shape_zyx, rows, source)
        if moved is not None:
            shifts = zip(points, moved[:, rows.start : rows.stop], labels.shape, strict=True)
            points = [point.add_(shift).clamp_(0, size - 1) for point, shift, size in shifts]
        kept[rows.start : rows.stop] = _nearest(labels.reshape(-1), points, labels.shape)
    return kept


def _source_points(
    matrix: np.ndarray, shape_zyx: Int3, rows: range, source: torch.Tensor
) -> list[torch.Tensor]:
    """Returns z, y and x in the source of the result's voxels, held inside the source."""
    offsets = [
        torch.arange(along.start, along.stop, dtype=source.dtype, device=source.device) - (size - 1) / 2
        for along, size in zip((rows, range(shape_zyx[1]), range(shape_zyx[2])), shape_zyx, strict=True)
    ]
    points = []
    for (a, b, c), size in zip(matrix.tolist(), source.shape[1:], strict=True):
        plane = (b * offsets[1])[:, None] + (c * offsets[2])[None, :] + (size - 1) / 2
        points.append((plane[None] + (a * offsets[0])[:, None, None]).clamp_(0, size - 1))
    return points


def _nearest(flat: torch.Tensor, points: list[torch.Tensor], shape: Sequence[int]) -> torch.Tensor:
    z, y, x = ((point + 0.5).to(torch.int32) for point in points)
    index = z.mul_(shape[1]).add_(y).mul_(shape[2]).add_(x)
    return flat.index_select(0, index.reshape(-1)).reshape(index.shape)


def _linear(channels: torch.Tensor, points: list[torch.Tensor], shape: Sequence[int]) -> torch.Tensor:
    floors = [p.to(torch.int32).clamp_(max=n - 2) for p, n in zip(points, shape, strict=True)]
    fz, fy, fx = (point - floor for point, floor in zip(points, floors, strict=True))
    z, y, x = floors
    first = z.mul_(shape[1]).add_(y).mul_(shape[2]).add_(x)
    index = first.reshape(-1)

    def corner(offset: int) -> torch.Tensor:
        return channels.index_select(1, index + offset).reshape(-1, *first.shape)

    def line(offset: int) -> torch.Tensor:
        return torch.lerp(corner(offset), corner(offset + 1), fx)

    def plane(offset: int) -> torch.Tensor:
        return torch.lerp(line(offset), line(offset + shape[2]), fy)

    return torch.lerp(plane(0), plane(shape[1] * shape[2]), fz)
