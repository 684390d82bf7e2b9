"""Masks of known shape that evaluation tests build on."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3, Int3


def slab(shape_zyx: Int3, axis: int, start: int, stop: int) -> np.ndarray:
    """Returns a mask of everything from `start` to `stop` along one axis."""
    mask = np.zeros(shape_zyx, dtype=bool)
    mask[tuple(slice(start, stop) if k == axis else slice(None) for k in range(3))] = True
    return mask


def block(shape_zyx: Int3, start: Int3, stop: Int3) -> np.ndarray:
    """Returns a mask of a box."""
    mask = np.zeros(shape_zyx, dtype=bool)
    mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = True
    return mask


def radius_mm(shape_zyx: Int3, spacing_mm: Float3, turn: np.ndarray | None = None) -> np.ndarray:
    """Returns the distance of each voxel from the grid's centre; (Z, Y, X, 3) places are turned first."""
    return np.linalg.norm(places_mm(shape_zyx, spacing_mm, turn), axis=-1)


def places_mm(shape_zyx: Int3, spacing_mm: Float3, turn: np.ndarray | None = None) -> np.ndarray:
    """Returns (Z, Y, X, 3) places of voxel centres from the grid's centre, turned by a 3x3 matrix."""
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape_zyx, spacing_mm, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return places if turn is None else places @ turn.T


def ragged(seed: int, shape_zyx: Int3 = (14, 17, 15)) -> np.ndarray:
    """Returns a rough blob: smoothed noise over a threshold."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).normal(size=shape_zyx)
    return ndimage.gaussian_filter(noise, 1.2) > 0.12
