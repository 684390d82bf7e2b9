"""Smoothed masks on a working grid of nearly equal spacings, sampled anywhere in patient space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kneecascade.core.geometry import Box, Float3, Geometry, Int3

WORKING_MM = 0.8
"""Voxels are averaged over as many as fit into this length along each axis."""
SMOOTHING_MM = 0.5
"""Standard deviation of the Gaussian that takes the steps off a voxel surface."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the samples of an array (Z, Y, X) lie.

    Attributes:
        spacing_mm: (z, y, x).
        origin_mm_xyz: sample (0, 0, 0) in the patient's LPS space.
        direction_xyz: 3x3 direction cosines, columns for the array's x, y, z.
    """

    spacing_mm: Float3
    origin_mm_xyz: np.ndarray
    direction_xyz: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """3x3: an index step (z, y, x) to mm in LPS (x, y, z)."""
        return (self.direction_xyz * np.array(self.spacing_mm[::-1]))[:, ::-1]

    def to_mm(self, index_zyx: np.ndarray) -> np.ndarray:
        """Returns LPS points (N, 3) of indices (N, 3), fractions welcome."""
        return index_zyx @ self.matrix.T + self.origin_mm_xyz

    def to_index(self, points_mm: np.ndarray) -> np.ndarray:
        """Returns indices (N, 3), with fractions, of LPS points (N, 3)."""
        return (points_mm - self.origin_mm_xyz) @ np.linalg.inv(self.matrix).T


@dataclass(frozen=True, eq=False)
class Field:
    """A float32 array (Z, Y, X) on a grid."""

    array: np.ndarray
    grid: Grid

    def at(self, points_mm: np.ndarray) -> np.ndarray:
        """Returns the values at LPS points (..., 3), linear between samples, constant past the edge."""
        flat = self.grid.to_index(points_mm.reshape(-1, 3))
        found = ndimage.map_coordinates(self.array, flat.T, order=1, mode="nearest")
        return found.reshape(points_mm.shape[:-1])

    def gradient_at(self, points_mm: np.ndarray, step_mm: float = 0.5) -> np.ndarray:
        """Returns gradients (N, 3) in LPS per mm, by central differences."""
        steps = np.eye(3) * step_mm
        pairs = [self.at(points_mm + step) - self.at(points_mm - step) for step in steps]
        return np.stack(pairs, axis=1) / (2 * step_mm)


def grid_of(geometry: Geometry) -> Grid:
    """Returns the grid of a file's array."""
    return Grid(
        geometry.spacing_mm,
        np.array(geometry.origin_mm_xyz, dtype=float),
        np.array(geometry.direction_xyz, dtype=float).reshape(3, 3),
    )


def pool_factors(spacing_mm: Float3) -> Int3:
    """Returns how many voxels are averaged along each axis."""
    z, y, x = (max(1, int(WORKING_MM / step + 1e-6)) for step in spacing_mm)
    return (z, y, x)


def working_grid(grid: Grid, box: Box, factors: Int3) -> Grid:
    """Returns the grid of `pooled` samples of a box of `grid`."""
    first = np.array(box.start_zyx) + (np.array(factors) - 1) / 2
    z, y, x = (step * k for step, k in zip(grid.spacing_mm, factors, strict=True))
    return Grid((z, y, x), grid.to_mm(first[None])[0], grid.direction_xyz)


def pooled(mask_zyx: np.ndarray, factors: Int3) -> np.ndarray:
    """Returns float32 shares of the mask in blocks of voxels; the edge is repeated to whole blocks."""
    gaps = [(0, -n % k) for n, k in zip(mask_zyx.shape, factors, strict=True)]
    part = np.pad(mask_zyx, gaps, mode="edge").astype(np.uint8)
    many = np.uint16 if np.prod(factors) > 255 else np.uint8
    for axis, k in enumerate(factors):
        slots = [[slice(None)] * 3 for _ in range(k)]
        for j, slot in enumerate(slots):
            slot[axis] = slice(j, None, k)
        part = sum((part[tuple(slot)].astype(many) for slot in slots[1:]), part[tuple(slots[0])].astype(many))
    return part.astype(np.float32) / np.float32(np.prod(factors))


def smoothed(array: np.ndarray, grid: Grid, sigma_mm: float) -> Field:
    """Returns the array under a Gaussian of `sigma_mm`, the edge repeated outside."""
    sigmas = [sigma_mm / step for step in grid.spacing_mm]
    return Field(ndimage.gaussian_filter(array, sigmas, mode="nearest", truncate=3.5), grid)


def smoothing_mm(spacing_mm: Float3) -> float:
    """Returns the Gaussian's standard deviation: 0.5 mm, more where voxels are longer than that allows."""
    return float(np.clip(0.7 * max(spacing_mm), SMOOTHING_MM, 2 * SMOOTHING_MM))
