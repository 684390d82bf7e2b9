"""The canonical orientation: array axes reordered or flipped, nothing resampled.

Canonical axis 0 (Z) runs foot to head, axis 1 (Y) anterior to posterior, axis 2 (X) from the patient's
right to the left, each as nearly as the direction matrix allows. What is oblique stays in the matrix.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from kneecascade.core.geometry import Geometry, Int3

Flips3 = tuple[bool, bool, bool]


def canonical_axes(geometry: Geometry) -> tuple[Int3, Flips3]:
    """Finds which array axes make the canonical ones.

    Returns:
        axes, flips: canonical axis k is array axis axes[k], reversed where flips[k].
    """
    cosines = _cosines(geometry)
    axes = max(permutations(range(3)), key=lambda order: sum(abs(cosines[k, order[k]]) for k in range(3)))
    flips = tuple(bool(cosines[k, axes[k]] < 0) for k in range(3))
    return _three(axes), (flips[0], flips[1], flips[2])


def to_canonical(array: np.ndarray, axes: Int3, flips: Flips3) -> np.ndarray:
    """Turns the last three axes (Z, Y, X) of an array to the canonical orientation.

    Returns:
        A view; leading axes stay as they are.
    """
    lead = array.ndim - 3
    turned = array.transpose(*range(lead), *(lead + axis for axis in axes))
    return turned[_reversals(flips)]


def from_canonical(array: np.ndarray, axes: Int3, flips: Flips3) -> np.ndarray:
    """Undoes `to_canonical` exactly; returns a view."""
    lead = array.ndim - 3
    back = [axes.index(axis) for axis in range(3)]
    return array[_reversals(flips)].transpose(*range(lead), *(lead + axis for axis in back))


def canonical_geometry(geometry: Geometry) -> Geometry:
    """Returns the grid of the array that `to_canonical` makes; every voxel keeps its place in space."""
    axes, flips = canonical_axes(geometry)
    matrix = np.array(geometry.direction_xyz, dtype=float).reshape(3, 3)
    origin = np.array(geometry.origin_mm_xyz, dtype=float)
    columns = []
    for axis, flip in zip(axes, flips, strict=True):
        column = matrix[:, 2 - axis]
        if flip:
            origin = origin + column * (geometry.shape_zyx[axis] - 1) * geometry.spacing_mm[axis]
        columns.append(-column if flip else column)
    direction = np.stack(columns[::-1], axis=1)
    z, y, x = axes
    shape, spacing = geometry.shape_zyx, geometry.spacing_mm
    return Geometry(
        shape_zyx=(shape[z], shape[y], shape[x]),
        spacing_mm=(spacing[z], spacing[y], spacing[x]),
        origin_mm_xyz=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction_xyz=tuple(float(value) + 0.0 for value in direction.ravel()),
    )


def reversed_x(geometry: Geometry) -> Geometry:
    """Returns the grid of the array with its last axis reversed; every voxel keeps its place in space."""
    matrix = np.array(geometry.direction_xyz, dtype=float).reshape(3, 3)
    far = (geometry.shape_zyx[2] - 1) * geometry.spacing_mm[2]
    x, y, z = (float(v) for v in np.array(geometry.origin_mm_xyz) + matrix[:, 0] * far)
    direction = tuple(float(value) + 0.0 for value in (matrix * [-1.0, 1.0, 1.0]).ravel())
    return Geometry(geometry.shape_zyx, geometry.spacing_mm, (x, y, z), direction)


def _cosines(geometry: Geometry) -> np.ndarray:
    """Returns (canonical axis, array axis): cosine of the array axis with +S, +P, +L."""
    matrix = np.array(geometry.direction_xyz, dtype=float).reshape(3, 3)
    return matrix[::-1, ::-1]


def _reversals(flips: Flips3) -> Any:
    return (..., *(slice(None, None, -1) if flip else slice(None) for flip in flips))


def _three(values: tuple[int, ...]) -> Int3:
    return (values[0], values[1], values[2])
