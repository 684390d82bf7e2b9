"""kneecascade.network.cost."""

from __future__ import annotations

import pytest
import torch
from plans import tiny_medicalnet

from kneecascade.core.plan import ResUNetPlan
from kneecascade.network.blocks import ConvNorm
from kneecascade.network.build import build_network
from kneecascade.network.cost import count_cost


def test_one_convolution_by_hand():
    cost = count_cost(ConvNorm(2, 4, (3, 3, 3), (2, 2, 2)), 2, (8, 8, 8))
    assert cost.parameters == 4 * 2 * 27 + 8
    assert cost.macs == 4**3 * 4 * 2 * 27
    assert cost.elements == 2 * 4 * 4**3
    assert cost.macs_per_voxel == pytest.approx(27.0)


def test_the_network_stays_as_it_was():
    network = build_network(tiny_medicalnet())
    count_cost(network, 1, (16, 16, 16))
    assert network.training
    assert next(network.parameters()).device == torch.device("cpu")
    assert not any(module._forward_hooks for module in network.modules())


def test_the_default_coarse_network_costs_about_60_kmac_per_voxel():
    features = (16, 32, 64, 128, 160)
    plan = ResUNetPlan("resunet", 1, 5, features, ((1, 1, 1), *((2, 2, 2),) * 4), ((3, 3, 3),) * 5, (1,) * 5)
    with torch.device("meta"):
        network = build_network(plan)
    assert 50e3 < count_cost(network, 1, (64, 64, 64)).macs_per_voxel < 70e3
