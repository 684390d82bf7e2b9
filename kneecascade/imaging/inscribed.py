"""The largest ball inside a mask."""

from __future__ import annotations

import math

import numpy as np

from kneecascade.core.geometry import Float3
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.distance import distances_mm

SMALL_VOXELS = 1_000_000
"""Masks with smaller boxes are measured voxel by voxel."""
MOST_PAIRS = 20_000_000
"""Distances from voxel to voxel, each worked out: beyond, a distance transform is quicker."""


def inscribed_diameter_mm(mask_zyx: np.ndarray, spacing_mm: Float3) -> float:
    """Returns the diameter of the largest ball of voxels inside a mask; 0 for an empty mask.

    The largest distance to a voxel outside, doubled, less one voxel along the finest axis: a slab one
    voxel thick is one voxel thick. Outside the image counts as outside the mask.
    """
    box = bounding_box(mask_zyx)
    if box is None:
        return 0.0
    # every axis even, and a voxel of outside at either end
    rims = [(1, 1 + n % 2) for n in box.shape_zyx]
    inside = np.pad(mask_zyx[box.slices] != 0, rims)
    radius = _radius_by_blocks_mm(inside, spacing_mm) if inside.size > SMALL_VOXELS else None
    if radius is None:
        radius = float(distances_mm(inside, spacing_mm).max())
    return 2 * radius - min(spacing_mm)


def _radius_by_blocks_mm(inside: np.ndarray, spacing_mm: Float3) -> float | None:
    """Returns the largest distance to a voxel outside; None for a thin mask, whose blocks tell little.

    A transform at half the resolution, between blocks of 2x2x2 voxels that lie wholly inside and the others,
    is off by the length of a voxel's diagonal at most. So few voxels can be the centre; theirs is worked out.
    """
    z, y, x = spacing_mm
    coarse = distances_mm(_whole_blocks(inside), (2 * z, 2 * y, 2 * x))
    most, diagonal = float(coarse.max()), math.hypot(z, y, x)
    if most <= diagonal:
        return None
    rim = _places_mm(_beside(inside), spacing_mm)
    known = _largest_mm(_voxels_mm(coarse == most, spacing_mm), rim)
    if known is None or known <= diagonal + ROUNDING_MM:  # the centre may lie in no whole block
        return None
    least = max(known - diagonal - ROUNDING_MM, ROUNDING_MM)
    return _largest_mm(_voxels_mm(coarse >= least, spacing_mm), rim)


ROUNDING_MM = 1e-3


def _whole_blocks(inside: np.ndarray) -> np.ndarray:
    """Says of each block of 2x2x2 voxels whether all of it is inside."""
    pairs = inside[::2] & inside[1::2]
    pairs = pairs[:, ::2] & pairs[:, 1::2]
    return pairs[..., ::2] & pairs[..., 1::2]


def _beside(inside: np.ndarray) -> np.ndarray:
    """Returns the voxels outside that share a face with one inside: the nearest one outside always does."""
    beside = np.zeros_like(inside)
    for axis in range(3):
        here, there = np.moveaxis(beside, axis, 0), np.moveaxis(inside, axis, 0)
        here[1:] |= there[:-1]
        here[:-1] |= there[1:]
    return beside & ~inside


def _voxels_mm(blocks: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    """Returns the places (n, 3) of the voxels of some blocks."""
    corners = 2 * np.argwhere(blocks)
    voxels = corners[:, None] + np.indices((2, 2, 2)).reshape(3, -1).T
    return (voxels.reshape(-1, 3) * spacing_mm).astype(np.float64)


def _places_mm(mask: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    return np.argwhere(mask) * np.asarray(spacing_mm)


def _largest_mm(voxels: np.ndarray, rim: np.ndarray) -> float | None:
    """Returns the largest distance of a voxel (n, 3) to the nearest of the rim (m, 3); None for too many."""
    if len(voxels) * len(rim) > MOST_PAIRS:
        return None
    squares = (rim**2).sum(axis=1)
    most = 0.0
    for some in np.array_split(voxels, -(-len(voxels) // 32)):
        nearest = (squares - 2 * some @ rim.T).min(axis=1) + (some**2).sum(axis=1)
        most = max(most, float(nearest.max()))
    return math.sqrt(most)
