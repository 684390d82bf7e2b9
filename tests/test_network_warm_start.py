"""Weights of a model trained here as the start of another training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from kneecascade.errors import CheckpointError
from kneecascade.network.checkpoint import save_weights
from kneecascade.network.warm_start import own_weights_file, start_from


class Tiny(nn.Module):
    """A body and a head, as the networks here have them."""

    def __init__(self, classes: int, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Conv3d(1, width, 3)
        self.heads = nn.ModuleList([nn.Conv3d(width, classes, 1)])


def saved(folder: Path, network: nn.Module) -> Path:
    path = folder / "fold_0" / "fine" / "model.safetensors"
    save_weights(path, network, {})
    return path


def test_the_same_network_is_filled_wholly(tmp_path: Path) -> None:
    source, target = Tiny(3), Tiny(3)
    line, heads = start_from(target, saved(tmp_path, source))
    assert heads
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
