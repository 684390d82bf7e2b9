"""Resampling of one axis as a small matrix: (new voxels, old voxels) float32, rows that sum to 1.

Both grids cover the same extent (scipy's grid mode: voxel borders align, not voxel centres).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

NEGLIGIBLE = 1e-8
ROW_BLOCK = 48
LEAN = 1e-3
"""Shares differ by this much between the ends of a new voxel: it decides ties and nothing else."""


@lru_cache(maxsize=64)
def image_weights(n_in: int, n_out: int) -> np.ndarray:
    """Cubic B-spline where the axis gets finer, area average where it gets coarser.

    The spline is what `scipy.ndimage.zoom(order=3, mode="nearest", grid_mode=True)` computes.
    """
    if n_out == n_in:
        return _frozen(np.eye(n_in))
    if n_out < n_in:
        return area_weights(n_in, n_out)
    from scipy import ndimage  # loaded where it is needed: a prediction seldom does

    return _frozen(ndimage.zoom(np.eye(n_in), (n_out / n_in, 1), order=3, mode="nearest", grid_mode=True))


@lru_cache(maxsize=64)
def fraction_weights(n_in: int, n_out: int) -> np.ndarray:
    """Linear interpolation where the axis gets finer, area average where it gets coarser.

    The average leans a little towards the far end: where two labels fill half a new voxel each, the
    one at its far end wins. A layer so gains on one side what it loses on the other; without it ties,
    which are frequent at whole factors, would all go to the same label and thin layers would shrink.
    """
    if n_out >= n_in:
        return linear_weights(n_in, n_out)
    centre = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    away = (np.arange(n_in)[None] - centre[:, None]) * n_out / n_in
    return _frozen(area_weights(n_in, n_out) * (1 + LEAN * away))


@lru_cache(maxsize=64)
def area_weights(n_in: int, n_out: int) -> np.ndarray:
    """Share of each old voxel in the extent of each new one."""
    old, new = np.arange(n_in + 1) / n_in, np.arange(n_out + 1) / n_out
    upper = np.minimum(old[None, 1:], new[1:, None])
    lower = np.maximum(old[None, :-1], new[:-1, None])
    return _frozen(np.maximum(upper - lower, 0))


@lru_cache(maxsize=64)
def linear_weights(n_in: int, n_out: int, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Linear interpolation, clamped at the edges.

    Args:
        n_in: old voxels of the whole axis.
        n_out: new voxels of the whole axis.
        start: first old voxel that may be used.
        stop: end of the old voxels that may be used; they are the columns of the matrix.
    """
    stop = n_in if stop is None else stop
    place = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, start, stop - 1) - start
    lower = np.minimum(place.astype(int), max(stop - start - 2, 0))
    weights = np.zeros((n_out, stop - start))
    rows = np.arange(n_out)
    weights[rows, lower] = 1 - (place - lower)
    if stop - start > 1:
        weights[rows, lower + 1] = place - lower
    return _frozen(weights)


def apply_weights(array_zyx: Any, weights_zyx: Sequence[np.ndarray]) -> np.ndarray:
    """Multiplies each axis by its matrix.

    Args:
        array_zyx: (Z, Y, X), sliced once.
        weights_zyx: three matrices (rows, columns) with Z, Y, X columns.

    Returns:
        float32 (rows, rows, rows), never a view of the array.
    """
    bands = [_band(weights) for weights in weights_zyx]
    part = result = np.asarray(array_zyx[tuple(slice(start, stop) for start, stop in bands)])
    trimmed = [weights[:, a:b] for weights, (a, b) in zip(weights_zyx, bands, strict=True)]
    for weights in reversed(trimmed):
        result = _last_to_first(result, weights)
    result = np.ascontiguousarray(result, dtype=np.float32)
    given = isinstance(array_zyx, np.ndarray)  # else the part is our own already
    return result.copy() if given and np.may_share_memory(result, part) else result


def _last_to_first(array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Multiplies the last axis, which becomes the first: three turns restore the order of axes.

    So every product is one of two flat matrices. A stack of small ones, as the middle axis would need
    where it is, makes BLAS threads wait for each other, seconds long on a busy machine. Rows go in
    blocks, each with only the columns that it needs.
    """
    if _is_identity(weights):
        return np.moveaxis(array, -1, 0)
    flat = np.ascontiguousarray(array, dtype=np.float32).reshape(-1, weights.shape[1])
    result = np.zeros((weights.shape[0], len(flat)), dtype=np.float32)
    for row in range(0, weights.shape[0], ROW_BLOCK):
        block = weights[row : row + ROW_BLOCK]
        start, stop = _band(block)
        np.matmul(block[:, start:stop], flat[:, start:stop].T, out=result[row : row + ROW_BLOCK])
    return result.reshape(weights.shape[0], *array.shape[:-1])


def _is_identity(weights: np.ndarray) -> bool:
    rows, columns = weights.shape
    return rows == columns and bool((weights.diagonal() == 1).all()) and np.count_nonzero(weights) == rows


def _band(weights: np.ndarray) -> tuple[int, int]:
    """Returns the range of columns that are not all zero; (0, 0) if all are."""
    used = np.flatnonzero(weights.any(axis=0))
    return (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)


def _frozen(weights: np.ndarray) -> np.ndarray:
    """Drops what is negligible, makes rows sum to 1; read-only, for it is shared by the cache."""
    weights = np.where(np.abs(weights) < NEGLIGIBLE, 0, weights)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.flags.writeable = False
    return weights
