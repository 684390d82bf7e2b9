import pytest
import torch
from torch import nn

from kneecascade.training.batchnorm import mend, norms, reestimate


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), nn.ReLU(), nn.Conv3d(2, 1, 1))


def test_statistics_are_the_mean_over_the_images():
    net = network()
    images = [torch.randn(1, 1, 4, 5, 6) + k for k in range(3)]
    assert reestimate(net, images) == 3
    maps = [net[0](image).detach() for image in images]
    layer = norms(net)[0]
    wanted = torch.stack([m.mean((0, 2, 3, 4)) for m in maps]).mean(0)
    assert torch.allclose(layer.running_mean, wanted, atol=1e-5)
    wanted = torch.stack([m.var((0, 2, 3, 4)) for m in maps]).mean(0)
    assert torch.allclose(layer.running_var, wanted, atol=1e-4)
    assert layer.momentum == pytest.approx(0.1)
    assert not net.training


def test_without_images_statistics_stay():
    net = network()
    net[1].running_mean.fill_(3.0)
    assert reestimate(net, []) == 0
    assert net[1].running_mean.tolist() == [3.0, 3.0]


def test_mend_resets_what_is_not_finite_and_nothing_else():
    net = nn.Sequential(nn.BatchNorm3d(1), nn.BatchNorm3d(1))
    net[0].running_mean.fill_(float("nan"))
    net[1].running_mean.fill_(2.0)
    mend(net)
    assert net[0].running_mean.item() == 0.0
    assert net[1].running_mean.item() == 2.0
