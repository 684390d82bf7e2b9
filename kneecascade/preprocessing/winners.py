"""The most probable class of every voxel of a finer grid, without all classes ever standing on it.

Probabilities are interpolated linearly, a slab of slices at a time, one class after the other with a
running maximum. A class can only beat the first one between voxels where at least one corner has it
above the first, so each class is interpolated in the box around those corners alone: the result is
the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.weights import apply_weights

SLAB_VOXELS = 4_000_000

Weights3 = Sequence[np.ndarray]


def write_winners(
    indices: np.ndarray, probabilities: np.ndarray, classes: Sequence[int], weights_zyx: Weights3
) -> None:
    """Writes the most probable class into every voxel; ties go to the class named first.

    Args:
        indices: uint8 (Z, Y, X), written.
        probabilities: (K, z, y, x) on the grid that the weights' columns stand for.
        classes: the classes that compete; at least one.
        weights_zyx: three matrices, (Z, z), (Y, y) and (X, x).
    """
    first, *others = classes
    indices[...] = first
    reaches = {k: _reach(probabilities[k], probabilities[first], weights_zyx) for k in others}
    rivals = {k: reach for k, reach in reaches.items() if reach is not None}
    if not rivals:
        return
    active = _box(
        [min(box.start_zyx[a] for box in rivals.values()) for a in range(3)],
        [max(box.stop_zyx[a] for box in rivals.values()) for a in range(3)],
    )
    _, rows, columns = active.shape_zyx
    depth = max(1, SLAB_VOXELS // (rows * columns))
    for z in range(active.start_zyx[0], active.stop_zyx[0], depth):
        slab = _intersection(active, _box([z, 0, 0], [z + depth, *indices.shape[1:]]))
        if slab is not None:
            _write_slab(indices[slab.slices], slab, probabilities, first, rivals, weights_zyx)


def _write_slab(
    out: np.ndarray,
    slab: Box,
    probabilities: np.ndarray,
    first: int,
    rivals: dict[int, Box],
    weights_zyx: Weights3,
) -> None:
    best = _interpolated(probabilities[first], slab, weights_zyx)
    for k, reach in rivals.items():
        part = _intersection(reach, slab)
        if part is None:
            continue
        value = _interpolated(probabilities[k], part, weights_zyx)
        starts = zip(part.slices, slab.start_zyx, strict=True)
        where = tuple(slice(s.start - start, s.stop - start) for s, start in starts)
        better = value > best[where]
        np.copyto(out[where], k, where=better)
        np.copyto(best[where], value, where=better)


def _interpolated(probability: np.ndarray, box: Box, weights_zyx: Weights3) -> np.ndarray:
    rows = [matrix[s] for matrix, s in zip(weights_zyx, box.slices, strict=True)]
    return apply_weights(probability, rows)


def _reach(probability: np.ndarray, rival: np.ndarray, weights_zyx: Weights3) -> Box | None:
    """Returns the box of new voxels where a class may beat its rival; None for nowhere."""
    corners = bounding_box(probability > rival)
    if corners is None:
        return None
    columns = zip(weights_zyx, corners.slices, strict=True)
    rows = [np.flatnonzero(matrix[:, s].any(axis=1)) for matrix, s in columns]
    if not all(r.size for r in rows):
        return None
    return _box([int(r[0]) for r in rows], [int(r[-1]) + 1 for r in rows])


def _intersection(a: Box, b: Box) -> Box | None:
    start = [max(p, q) for p, q in zip(a.start_zyx, b.start_zyx, strict=True)]
    stop = [min(p, q) for p, q in zip(a.stop_zyx, b.stop_zyx, strict=True)]
    empty = any(p >= q for p, q in zip(start, stop, strict=True))
    return None if empty else _box(start, stop)


def _box(start: list[int], stop: list[int]) -> Box:
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
