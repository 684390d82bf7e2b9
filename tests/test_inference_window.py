from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from kneecascade.core.geometry import Int3
from kneecascade.inference.window import gaussian_weights, tile_boxes, tiled_mean


@pytest.mark.parametrize("shape", [(7, 9, 10), (8, 8, 8), (3, 30, 17)])
@pytest.mark.parametrize("step", [0.3, 0.5, 1.0])
def test_tiles_cover_everything_inside(shape: Int3, step: float) -> None:
    tile = (8, 8, 8)
    covered = np.zeros(shape, dtype=int)
    for box in tile_boxes(shape, tile, step):
        assert box.shape_zyx == tuple(min(n, t) for n, t in zip(shape, tile, strict=True))
        assert min(box.start_zyx) >= 0
        covered[box.slices] += 1
    assert covered.min() >= 1


def test_steps_are_no_longer_than_asked() -> None:
    starts = sorted({box.start_zyx[2] for box in tile_boxes((8, 8, 31), (8, 8, 8), 0.5)})
    assert (starts[0], starts[-1]) == (0, 23)
    assert max(b - a for a, b in pairwise(starts)) <= 4


def test_weights_peak_in_the_middle() -> None:
    weights = gaussian_weights((9, 7, 5))
    assert weights.shape == (9, 7, 5)
    assert weights[4, 3, 2] == weights.max() == 1
    assert weights.min() > 0
    assert torch.allclose(weights, weights.flip((0, 1, 2)))


def test_mean_of_what_does_not_depend_on_the_tile_is_exact() -> None:
    image = torch.randn(2, 11, 9, 13, generator=torch.Generator().manual_seed(0))

    def predict(part: torch.Tensor) -> torch.Tensor:
        return torch.stack([part[0], part[1], part[0] + part[1]])

    mean = tiled_mean(predict, image, 3, (4, 6, 5), 0.5)
    assert torch.allclose(mean, predict(image), atol=1e-5)


def test_tiles_agree_by_weight_where_they_differ() -> None:
    calls: list[float] = []

    def predict(part: torch.Tensor) -> torch.Tensor:
        calls.append(float(len(calls)))
        return torch.full((1, *part.shape[1:]), calls[-1])

    mean = tiled_mean(predict, torch.zeros(1, 4, 4, 6), 1, (4, 4, 4), 0.5)[0, 1, 1]
    assert len(calls) == 2
    assert mean[0] == 0
    assert mean[-1] == 1
    assert 0 < mean[2] < 0.5 < mean[3] < 1
