import math

import pytest
import torch
from torch import nn

from kneecascade.errors import TrainingError
from kneecascade.network.device import Device
from kneecascade.training.step import SKIPS_IN_A_ROW, Stepper, make_optimizer

CPU = Device(torch.device("cpu"), None, "CPU")


class OneOutput(nn.Sequential):
    def forward(self, x):
        return [super().forward(x)]


def small_network():
    torch.manual_seed(0)
    return OneOutput(nn.Conv3d(1, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.Conv3d(4, 2, 1))


def batch():
    image = torch.randn(2, 1, 6, 6, 6, generator=torch.Generator().manual_seed(1))
    return image, (image[:, 0] > 0.5).to(torch.uint8)


def test_steps_lower_the_loss():
    network = small_network()
    step = Stepper(network, make_optimizer(network, 1e-2, 1e-2), CPU)
    losses = [step(*batch(), 3e-2) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]


def test_norms_and_biases_do_not_decay():
    network = small_network()
    decaying, plain = make_optimizer(network, 1e-2, 0.1).param_groups
    assert decaying["weight_decay"] == 0.1
    assert plain["weight_decay"] == 0.0
    assert [p.ndim for p in decaying["params"]] == [5, 5]
    assert len(plain["params"]) == 4


def test_a_step_that_is_not_finite_changes_nothing():
    network = small_network()
    step = Stepper(network, make_optimizer(network, 1e-2, 1e-2), CPU)
    before = [p.clone() for p in network.parameters()]
    image, labels = batch()
    assert step(image * math.nan, labels, 1e-2) is None
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert torch.isfinite(network[1].running_mean).all()
    assert step(image, labels, 1e-2) is not None


def test_five_in_a_row_end_the_training_four_do_not():
    network = small_network()
    step = Stepper(network, make_optimizer(network, 1e-2, 1e-2), CPU)
    image, labels = batch()
    for _ in range(SKIPS_IN_A_ROW - 1):
        step(image * math.nan, labels, 1e-2)
    step(image, labels, 1e-2)
    for _ in range(SKIPS_IN_A_ROW - 1):
        step(image * math.nan, labels, 1e-2)
    with pytest.raises(TrainingError, match="not finite in 5 steps"):
        step(image * math.nan, labels, 1e-2)
