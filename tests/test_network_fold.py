"""kneecascade.network.fold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from plans import tiny_medicalnet, tiny_resunet

from kneecascade.network.build import build_network
from kneecascade.network.fold import fold_batchnorm

PLANS = [tiny_resunet(), *(replace(tiny_medicalnet(), depth=depth) for depth in (10, 18, 50))]


@pytest.mark.parametrize("plan", PLANS, ids=["resunet", "10", "18", "50"])
def test_a_folded_network_computes_the_same(plan):
    torch.manual_seed(0)
    network = build_network(plan)
    for parameter in network.heads.parameters():
        torch.nn.init.normal_(parameter)
    for _ in range(3):
        network(torch.randn(2, 1, 16, 16, 16) * 2 + 1)
    folded = fold_batchnorm(network)
    assert network.training
    assert not folded.training
    assert not any(isinstance(m, torch.nn.BatchNorm3d) for m in folded.modules())
    x = torch.randn(1, 1, 16, 24, 16)
    with torch.inference_mode():
        expected, found = network.eval()(x), folded(x)
    assert expected.std() > 0.1
    assert torch.allclose(expected, found, atol=1e-4)


def test_the_original_keeps_its_weights():
    network = build_network(tiny_resunet())
    before = {n: t.clone() for n, t in network.state_dict().items()}
    fold_batchnorm(network)
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
