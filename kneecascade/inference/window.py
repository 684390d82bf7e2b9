"""Overlapping tiles with Gaussian weights, for images too large for one forward."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import torch

from kneecascade.core.geometry import Box, Int3

SIGMA_SHARE = 0.125
"""Standard deviation of the weights over the edge of the tile, as in nnU-Net."""


def tile_boxes(shape_zyx: Int3, tile_zyx: Int3, step_size: float) -> Iterator[Box]:
    """Yields tiles that cover a grid, evenly spread; every tile lies inside the grid.

    Args:
        shape_zyx: the grid.
        tile_zyx: size of a tile; an axis longer than the grid's is cut to it.
        step_size: largest step from tile to tile over the tile's edge, above 0 and at most 1.
    """
    edges = [min(n, edge) for n, edge in zip(shape_zyx, tile_zyx, strict=True)]
    axes = [_starts(n, edge, step_size) for n, edge in zip(shape_zyx, edges, strict=True)]
    for z, y, x in itertools.product(*axes):
        yield Box((z, y, x), (z + edges[0], y + edges[1], x + edges[2]))


def gaussian_weights(shape_zyx: Int3) -> torch.Tensor:
    """Returns float32 (Z, Y, X), 1 at the centre, never below 1e-3 of it."""
    z, y, x = (_profile(n) for n in shape_zyx)
    weights = z[:, None, None] * y[None, :, None] * x[None, None, :]
    return (weights / weights.max()).clamp_min(1e-3)


def tiled_mean(
    predict: Callable[[torch.Tensor], torch.Tensor],
    image: torch.Tensor,
    classes: int,
    tile_zyx: Int3,
    step_size: float,
) -> torch.Tensor:
    """Returns the weighted mean over all tiles of what `predict` says of each.

    Args:
        predict: maps a tile (C, z, y, x) to probabilities (classes, z, y, x).
        image: (C, Z, Y, X).
        classes: background included.
        tile_zyx: size of a tile.
        step_size: see `tile_boxes`.

    Returns:
        float32 (classes, Z, Y, X) on the CPU.
    """
    shape = (image.shape[1], image.shape[2], image.shape[3])
    total = torch.zeros((classes, *shape))
    weight = torch.zeros(shape)
    for box in tile_boxes(shape, tile_zyx, step_size):
        gaussian = gaussian_weights(box.shape_zyx)
        where = (slice(None), *box.slices)
        total[where] += predict(image[where]).cpu() * gaussian
        weight[box.slices] += gaussian
    return total.div_(weight)


def _starts(n: int, edge: int, step_size: float) -> list[int]:
    if n == edge:
        return [0]
    steps = math.ceil((n - edge) / max(1.0, edge * step_size))
    return [round(k * (n - edge) / steps) for k in range(steps + 1)]


def _profile(n: int) -> torch.Tensor:
    place = torch.arange(n) - (n - 1) / 2
    return torch.exp(-0.5 * (place / (SIGMA_SHARE * n)) ** 2)
