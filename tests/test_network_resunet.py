"""kneecascade.network.resunet."""

from __future__ import annotations

from dataclasses import replace

import torch
from plans import tiny_resunet

from kneecascade.network.resunet import ResUNet


def test_train_mode_gives_logits_from_fine_to_coarse():
    network = ResUNet(tiny_resunet(in_channels=2))
    logits = network(torch.randn(2, 2, 8, 12, 16))
    assert [tuple(m.shape) for m in logits] == [(2, 3, 8, 12, 16), (2, 3, 4, 6, 8)]


def test_deep_networks_have_three_heads():
    plan = replace(
        tiny_resunet(),
        features=(4, 4, 4, 4, 4),
        strides=((1, 1, 1), (1, 2, 2), *((2, 2, 2),) * 3),
        kernels=((1, 3, 3), *((3, 3, 3),) * 4),
        blocks=(1, 2, 1, 1, 1),
    )
    logits = ResUNet(plan)(torch.randn(2, 1, 16, 32, 32))
    assert [tuple(m.shape[2:]) for m in logits] == [(16, 32, 32), (16, 16, 16), (8, 8, 8)]


def test_any_size_and_one_level_come_back_at_their_size():
    for plan in (tiny_resunet(), replace(tiny_resunet(), features=(4,), strides=((1, 1, 1),), blocks=(1,))):
        network = ResUNet(plan).eval()
        assert network(torch.randn(1, 1, 7, 9, 5)).shape == (1, 3, 7, 9, 5)


def test_every_parameter_is_trained():
    network = ResUNet(tiny_resunet())
    sum(m.square().mean() for m in network(torch.randn(2, 1, 8, 8, 8))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_it_learns_a_threshold():
    torch.manual_seed(0)
    network = ResUNet(tiny_resunet(num_classes=2))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(50):
        x = torch.randn(2, 1, 8, 8, 8)
        loss = torch.nn.functional.cross_entropy(network(x)[0], (x[:, 0] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 < 0.6 < losses[0]
