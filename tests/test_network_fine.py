"""kneecascade.network.fine."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from plans import tiny_medicalnet

from kneecascade.network.fine import FineNet


def test_train_mode_gives_logits_at_full_half_and_quarter():
    logits = FineNet(tiny_medicalnet(in_channels=2))(torch.randn(2, 2, 16, 24, 32))
    assert [tuple(m.shape) for m in logits] == [(2, 3, 16, 24, 32), (2, 3, 8, 12, 16), (2, 3, 4, 6, 8)]


@pytest.mark.parametrize("depth", [10, 18, 50])
def test_any_size_comes_back_at_its_size(depth):
    network = FineNet(replace(tiny_medicalnet(), depth=depth)).eval()
    assert network(torch.randn(1, 1, 7, 17, 9)).shape == (1, 3, 7, 17, 9)


@pytest.mark.parametrize(
    "strides",
    [
        ((1, 2, 2), (1, 2, 2), (2, 2, 2)),
        ((2, 2, 2), (1, 1, 1), (2, 2, 2)),
        ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
    ],
)
def test_resolutions_may_coincide(strides):
    network = FineNet(replace(tiny_medicalnet(), strides=strides))
    logits = network(torch.randn(2, 1, 8, 16, 16))
    conv1 = [-(-n // s) for n, s in zip((8, 16, 16), strides[0], strict=True)]
    layer1 = [-(-n // s) for n, s in zip(conv1, strides[1], strict=True)]
    assert [list(m.shape[2:]) for m in logits] == [[8, 16, 16], conv1, layer1]


def test_every_parameter_is_trained():
    torch.manual_seed(0)
    network = FineNet(tiny_medicalnet())
    sum(m.square().mean() for m in network(torch.randn(2, 1, 16, 16, 16))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_output_does_not_depend_on_the_extent_of_the_input():
    torch.manual_seed(0)
    network = FineNet(tiny_medicalnet()).eval()
    wide = torch.randn(1, 1, 8, 8, 640)
    crop = wide[..., 80:560] + 0
    with torch.inference_mode():
        whole, part = network(wide)[..., 80:560], network(crop)
    assert torch.allclose(whole[..., 220:260], part[..., 220:260], atol=1e-6)
    assert not torch.allclose(whole[..., :8], part[..., :8], atol=1e-4)
    assert whole[..., 220:260].std() > 1e-3


def test_all_skips_and_the_aspp_are_used():
    torch.manual_seed(0)
    network = FineNet(tiny_medicalnet()).eval()
    x = torch.randn(1, 1, 16, 16, 16)
    before = network(x)
    for part in (
        network.stem[1][0],
        network.encoder.conv1,
        network.aspp.branches[1][0],
        network.encoder.layer2[0].conv2,
    ):
        with torch.no_grad():
            kept = part.weight.clone()
            part.weight.zero_()
            assert not torch.allclose(network(x), before)
            part.weight.copy_(kept)
