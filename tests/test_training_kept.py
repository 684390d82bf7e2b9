import pytest
import torch
from torch import nn

from kneecascade.training.kept import KeptWeights


def network(value):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    for parameter in net.parameters():
        nn.init.constant_(parameter, value)
    return net


def fill(net, value):
    for parameter in net.parameters():
        nn.init.constant_(parameter, value)


def value(net):
    return net[0].bias[0].item()


def test_the_last_weights_are_kept_by_default():
    net = network(1.0)
    kept = KeptWeights(net, average=False, best=False)
    fill(net, 3.0)
    kept.update()
    kept.keep()
    assert kept.tensors() == {}
    assert kept.choose(1) == "last step"
    assert value(net) == 3.0


def test_the_best_weights_come_back_with_their_statistics():
    net = network(1.0)
    kept = KeptWeights(net, average=False, best=True)
    net[1].running_mean.fill_(5.0)
    kept.keep()
    fill(net, 2.0)
    net[1].running_mean.fill_(7.0)
    assert kept.choose(4) == "best epoch, 4"
    assert value(net) == 1.0
    assert float(net[1].running_mean[0]) == 5.0


def test_the_average_follows_over_a_tenth_of_the_steps():
    net = network(0.0)
    kept = KeptWeights(net, average=True, best=False)
    fill(net, 1.0)
    kept.update()  # decay 0.1
    with kept.shown():
        assert value(net) == pytest.approx(0.9)
    assert value(net) == 1.0
    kept.update()  # decay 2 / 11
    assert kept.choose(0) == "moving average"
    assert value(net) == pytest.approx(1 - 0.1 * 2 / 11)


def test_the_best_of_averages_is_an_average():
    net = network(0.0)
    kept = KeptWeights(net, average=True, best=True)
    fill(net, 1.0)
    kept.update()
    kept.keep()
    fill(net, 9.0)
    kept.update()
    kept.choose(1)
    assert value(net) == pytest.approx(0.9)


def test_a_checkpoint_brings_everything_back():
    net = network(0.0)
    kept = KeptWeights(net, average=True, best=True)
    fill(net, 1.0)
    kept.update()
    kept.keep()
    tensors = {name: tensor.clone() for name, tensor in kept.tensors().items()}
    again = KeptWeights(network(1.0), average=True, best=True)
    again.load(tensors, updates=1)
    for one in (kept, again):
        fill(one.network, 2.0)
        one.update()
    assert all(torch.equal(a, b) for a, b in zip(kept.average, again.average, strict=True))
    again.choose(1)
    assert value(again.network) == pytest.approx(0.9)


def test_an_average_asked_for_later_starts_from_the_weights():
    again = KeptWeights(network(4.0), average=True, best=False)
    again.load({}, updates=50)
    assert again.updates == 0
    again.choose(0)
    assert value(again.network) == 4.0
