"""Weights of a model trained here as the start of another training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plans import tiny_resunet
from torch import nn

from kneecascade.errors import CheckpointError
from kneecascade.network.checkpoint import save_weights
from kneecascade.network.resunet import ResUNet
from kneecascade.network.warm_start import own_weights_file, start_from


class Tiny(nn.Module):
    """A body and a head, as the networks here have them."""

    def __init__(self, classes: int, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Conv3d(1, width, 3)
        self.heads = nn.ModuleList([nn.Conv3d(width, classes, 1)])


def saved(folder: Path, network: nn.Module, labels: tuple[str, ...] = ()) -> Path:
    path = folder / "fold_0" / "fine" / "model.safetensors"
    plan = {"plan": json.dumps({"labels": {"names": labels}})} if labels else {}
    save_weights(path, network, plan)
    return path


def test_the_same_network_is_filled_wholly(tmp_path: Path) -> None:
    source, target = Tiny(3), Tiny(3)
    line, heads = start_from(target, saved(tmp_path, source))
    assert heads == (0, 1, 2)
    assert "anew" not in line
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor)


def test_other_labels_leave_the_head_anew(tmp_path: Path) -> None:
    source, target = Tiny(3), Tiny(4)
    before = target.heads[0].weight.detach().clone()
    line, heads = start_from(target, saved(tmp_path, source))
    assert not heads
    assert line.endswith("; anew: heads")
    assert torch.equal(target.body.weight, source.body.weight)
    assert torch.equal(target.heads[0].weight, before)


def test_outputs_follow_the_names_of_labels(tmp_path: Path) -> None:
    source, target = Tiny(4), Tiny(3)
    theirs, ours = ("background", "femur", "menisci", "tibia"), ("background", "tibia", "patella")
    before = target.heads[0].weight.detach().clone()
    line, known = start_from(target, saved(tmp_path, source, theirs), ours)
    assert known == (0, 1)
    assert line.endswith("; anew: patella")
    for part in ("weight", "bias"):
        here, there = getattr(target.heads[0], part), getattr(source.heads[0], part)
        assert torch.equal(here[:2], there[[0, 3]])
    assert torch.equal(target.heads[0].weight[2], before[2])


def test_as_many_labels_in_another_order_are_not_mixed_up(tmp_path: Path) -> None:
    source, target = Tiny(3), Tiny(3)
    path = saved(tmp_path, source, ("background", "femur", "tibia"))
    line, known = start_from(target, path, ("background", "tibia", "femur"))
    assert known == (0, 1, 2)
    assert "anew" not in line
    assert torch.equal(target.heads[0].weight, source.heads[0].weight[[0, 2, 1]])


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="of another network"):
        start_from(Tiny(3, width=9), saved(tmp_path, Tiny(3)))


def test_where_weights_lie(tmp_path: Path) -> None:
    path = saved(tmp_path, Tiny(3))
    assert own_weights_file(tmp_path, "fine") == path
    assert own_weights_file(tmp_path / "fold_0", "fine") == path
    assert own_weights_file(path, "fine") is None
    with pytest.raises(CheckpointError, match="no trained coarse stage"):
        own_weights_file(tmp_path, "coarse")


@pytest.mark.parametrize(("theirs", "ours"), [(4, 3), (3, 4), (4, 4)])
def test_a_decoder_starts_from_that_of_its_own_resolution(tmp_path: Path, theirs: int, ours: int) -> None:
    source, target = resunet(theirs), resunet(ours)
    line, _ = start_from(target, saved(tmp_path, source))
    assert ("anew" in line) == (ours > theirs)
    for from_full in range(1, min(theirs, ours)):
        for a, b in zip(
            target.decoder[-from_full].parameters(), source.decoder[-from_full].parameters(), strict=True
        ):
            assert torch.equal(a, b)


def resunet(levels: int) -> nn.Module:
    strides = ((1, 1, 1), *((2, 2, 2),) * (levels - 1))
    kernels, features = ((3, 3, 3),) * levels, (8, 12, 16, 4)[:levels]
    return ResUNet(
        replace(tiny_resunet(), features=features, strides=strides, kernels=kernels, blocks=(1,) * levels)
    )
