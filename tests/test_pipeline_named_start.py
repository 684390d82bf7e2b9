"""kc_train --pretrained with a model's name: a packed model, narrower than the plan, is taken over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plans import tiny_plan

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import CheckpointError
from kneecascade.inference.folds import weights_file
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.network.half import halved
from kneecascade.network.warm_start import start_from
from kneecascade.pipeline.fold import start_folds
from kneecascade.pipeline.shipped import named
from kneecascade.planning.plan_file import write_plan


def packed(folder: Path) -> Path:
    plan = tiny_plan()
    for stage, part in (("coarse", plan.coarse), ("fine", plan.fine)):
        state = halved(build_network(part.network).state_dict())
        save_weights(weights_file(folder / "fold_0", stage), state, {})  # type: ignore[arg-type]
    write_plan(plan, folder / "fold_0" / "plan.json")
    return folder


def test_the_fine_network_becomes_as_wide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, plan = packed(tmp_path / "small"), tiny_plan()
    wider = replace(plan.fine.network, width=8, aspp_channels=16)
    plan = replace(plan, fine=replace(plan.fine, network=wider))
    settings = TrainSettings(pretrained=str(folder), device="cpu")
    assert start_folds([], plan, settings) == []
    assert "fine: width 4 as in small, instead of 8" in capsys.readouterr().out


def test_half_precision_fills_a_network(tmp_path: Path) -> None:
    folder, plan = packed(tmp_path / "small"), tiny_plan()
    network = build_network(plan.fine.network)
    line, heads = start_from(network, weights_file(folder / "fold_0", "fine"))
    assert heads
    assert "parameters from" in line
    state, _ = load_weights(weights_file(folder / "fold_0", "fine"))
    for name, tensor in network.state_dict().items():
        assert tensor.dtype != state[name].dtype or state[name].ndim < 2
        assert float((tensor.float() - state[name].float()).abs().max()) < 1e-3


def test_a_name_that_is_no_model_stays_a_path() -> None:
    assert named("no_such_model") == Path("no_such_model")
    with pytest.raises(CheckpointError, match="no such file"):
        start_folds([], tiny_plan(), TrainSettings(pretrained="no_such_model", device="cpu"))
