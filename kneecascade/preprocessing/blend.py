"""The border of the region: both stages' probabilities fade into each other, so surfaces have no step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kneecascade.core.geometry import Box, Float3, Int3
from kneecascade.imaging.weights import apply_weights

Weights3 = Sequence[np.ndarray]


def blend_border(
    indices: np.ndarray,
    coarse: tuple[np.ndarray, Weights3],
    fine: tuple[np.ndarray, Weights3],
    ramps_zyx: Sequence[np.ndarray],
) -> None:
    """Writes the most probable class of the faded probabilities near the region's faces.

    Args:
        indices: uint8 (Z, Y, X) of the region on the native grid; written where a ramp is below 1.
        coarse: probabilities (K, ...), those of targets 0, and their matrices to the region's voxels.
        fine: probabilities (K, ...) and their matrices to the region's voxels.
        ramps_zyx: share of the fine stage along each axis, as `border_ramps` returns them; a voxel
            takes the least of its three.
    """
    for slab in _slabs(ramps_zyx):
        z, y, x = (ramp[s] for ramp, s in zip(ramps_zyx, slab.slices, strict=True))
        share = np.minimum(np.minimum(z[:, None, None], y[None, :, None]), x[None, None, :])
        best = np.full(slab.shape_zyx, -1, dtype=np.float32)
        winner = indices[slab.slices]
        for k in range(len(fine[0])):
            mixed = share * _part(fine, k, slab) + (1 - share) * _part(coarse, k, slab)
            better = mixed > best
            np.copyto(winner, k, where=better)
            np.copyto(best, mixed, where=better)


def border_ramps(inside: Box, shape_zyx: Int3, spacing_mm: Float3, blend_mm: float) -> list[np.ndarray]:
    """Returns the fine stage's share for each voxel of the region along z, y and x.

    It rises from 0 at a face of the region to 1 at `blend_mm` inside, except at faces where the
    image ends: there the fine stage alone decides. All 1 where `blend_mm` is 0.
    """
    ramps = []
    for start, stop, n, mm in zip(inside.start_zyx, inside.stop_zyx, shape_zyx, spacing_mm, strict=True):
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


def _part(stage: tuple[np.ndarray, Weights3], k: int, slab: Box) -> np.ndarray:
    probabilities, weights = stage
    return apply_weights(probabilities[k], [w[s] for w, s in zip(weights, slab.slices, strict=True)])
