"""The border of the region: both stages' probabilities fade into each other, so surfaces have no step.

That holds where surfaces lie within a coarse voxel of each other; `settle` does the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kneecascade.core.geometry import Box, Geometry, Int3
from kneecascade.imaging.weights import apply_weights

Stage = tuple[np.ndarray, Sequence[np.ndarray]]
"""Probabilities (K, ...), and the matrices that take each axis to the region's native voxels."""


def blend_border(
    indices: np.ndarray,
    coarse: Stage,
    fine: Stage,
    ramps_zyx: Sequence[np.ndarray],
    settled: np.ndarray | None = None,
) -> None:
    """Writes the most probable class of the faded probabilities near the region's faces.

    Args:
        indices: uint8 (Z, Y, X) of the region on the native grid; written where a ramp is below 1.
        coarse: that stage's answer, the probabilities of targets 0.
        fine: that stage's answer.
        ramps_zyx: share of the fine stage along each axis, as `border_ramps` returns them; a voxel
            takes the least of its three.
        settled: bool (Z, Y, X), voxels that keep their class; None for none.
    """
    for slab in _slabs(ramps_zyx):
        share = share_of(ramps_zyx, slab)
        mixed = (
            (k, share * part_of(fine, k, slab) + (1 - share) * part_of(coarse, k, slab))
            for k in range(len(fine[0]))
        )
        winner = largest(mixed, slab.shape_zyx)
        where = np.True_ if settled is None else ~settled[slab.slices]
        np.copyto(indices[slab.slices], winner, where=where)


def border_ramps(inside: Box, native: Geometry, blend_mm: float) -> list[np.ndarray]:
    """Returns the fine stage's share for each voxel of the region along z, y and x.

    It rises from 0 at a face of the region to 1 at `blend_mm` inside, except at faces where the
    image ends: there the fine stage alone decides. All 1 where `blend_mm` is 0.
    """
    ramps = []
    grid = zip(inside.start_zyx, inside.stop_zyx, native.shape_zyx, native.spacing_mm, strict=True)
    for start, stop, n, mm in grid:
        size = stop - start
        depth_mm = (np.arange(size) + 0.5) * mm
        ramp = np.ones(size, dtype=np.float32)
        if blend_mm > 0 and start > 0:
            ramp = np.minimum(ramp, depth_mm / blend_mm)
        if blend_mm > 0 and stop < n:
            ramp = np.minimum(ramp, depth_mm[::-1] / blend_mm)
        ramps.append(ramp.astype(np.float32))
    return ramps


def _slabs(ramps_zyx: Sequence[np.ndarray]) -> Iterator[Box]:
    """Yields boxes at the faces that together hold every voxel with a ramp below 1."""
    shape = [len(ramp) for ramp in ramps_zyx]
    if math.prod(shape) == 0:
        return
    for axis, ramp in enumerate(ramps_zyx):
        full = np.flatnonzero(ramp >= 1)
        low, high = (int(full[0]), int(full[-1]) + 1) if full.size else (shape[axis], shape[axis])
        for a, b in ((0, low), (high, shape[axis])):
            if b > a:
                start, stop = [0, 0, 0], list(shape)
                start[axis], stop[axis] = a, b
                yield Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def largest(values: Iterable[tuple[int, np.ndarray]], shape_zyx: Int3) -> np.ndarray:
    """Returns uint8 (Z, Y, X): which class has the largest value, the first of equals; 0 without any."""
    best = np.full(shape_zyx, -np.inf, dtype=np.float32)
    winner = np.zeros(shape_zyx, dtype=np.uint8)
    for k, value in values:
        np.copyto(winner, k, where=value > best)
        np.maximum(best, value, out=best)
    return winner


def share_of(ramps_zyx: Sequence[np.ndarray], part: Box) -> np.ndarray:
    """Returns the fine stage's share (Z, Y, X) in a part of the region."""
    z, y, x = (ramp[s] for ramp, s in zip(ramps_zyx, part.slices, strict=True))
    return np.minimum(np.minimum(z[:, None, None], y[None, :, None]), x[None, None, :])


def part_of(stage: Stage, k: int, part: Box) -> np.ndarray:
    """Returns a class's probability (Z, Y, X) in a part of the region."""
    probabilities, weights = stage
    return apply_weights(probabilities[k], [w[s] for w, s in zip(weights, part.slices, strict=True)])
