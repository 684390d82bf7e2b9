"""The end of a network in slabs: network.slabs, and the reach that network.fine states."""

from __future__ import annotations

import pytest
import torch
from plans import tiny_medicalnet

from kneecascade.network.build import build_network
from kneecascade.network.fine import REACH, FineNet
from kneecascade.network.slabs import in_slabs


@pytest.fixture(scope="module")
def network() -> FineNet:
    torch.manual_seed(3)
    network = build_network(tiny_medicalnet())
    assert isinstance(network, FineNet)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.running_mean)  # type: ignore[arg-type]
    return network.eval()


@pytest.mark.parametrize("shape", [(40, 16, 16), (16, 44, 16), (8, 16, 40)])
def test_slabs_along_any_axis_change_nothing(network: FineNet, shape: tuple[int, int, int]) -> None:
    image = torch.randn(2, 1, *shape)
    deep = torch.randn(2, network.merge_stem.reduce.in_channels, *(n // 2 for n in shape))
    with torch.inference_mode():
        whole = network._last(deep, image)
        for slabs in (2, 3, 5):
            answer = in_slabs(network._last, deep, image, REACH, 3, image[0, 0].numel() // slabs)
            torch.testing.assert_close(answer, whole, atol=1e-5, rtol=1e-5)


def test_a_reach_too_short_would_be_noticed(network: FineNet) -> None:
    image = torch.randn(1, 1, 40, 16, 16)
    deep = torch.randn(1, network.merge_stem.reduce.in_channels, 20, 8, 8)
    with torch.inference_mode():
        whole = network._last(deep, image)
        answer = in_slabs(network._last, deep, image, REACH - 2, 3, 4096)
    assert (answer - whole).abs().max() > 1e-3


def test_parts_are_as_thick_as_asked_for() -> None:
    seen: list[int] = []

    def last(deep: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        assert [2 * n for n in deep.shape[2:]] == list(image.shape[2:])
        seen.append(image.shape[2])
        return image

    image = torch.arange(60.0).reshape(1, 1, 60, 1, 1).expand(1, 1, 60, 2, 2)
    answer = in_slabs(last, torch.zeros(1, 1, 30, 1, 1), image, 3, 1, 100)
    assert torch.equal(answer, image)
    assert seen == [28, 28, 28]


def test_a_forward_in_slabs_is_a_forward(network: FineNet, monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.randn(1, 1, 24, 24, 24)
    with torch.inference_mode():
        plain = network(image)
        monkeypatch.setattr(
            "kneecascade.network.fine.in_slabs",
            lambda last, deep, x, reach, k: in_slabs(last, deep, x, reach, k, 24 * 24 * 6),
        )
        torch.testing.assert_close(network(image), plain, atol=1e-5, rtol=1e-5)
