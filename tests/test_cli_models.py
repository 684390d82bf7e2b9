"""kc_models: the list, packing a model, using one by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny_models import save_grey_model

from kneecascade.cli.models import main
from kneecascade.core.record import to_plain
from kneecascade.evaluation.quality_file import read_reference
from kneecascade.evaluation.quality_limits import RULES_VERSION, Limit, QualityReference
from kneecascade.files import write_json
from kneecascade.network.checkpoint import load_weights
from kneecascade.network.half import halved
from kneecascade.pipeline import shipped
from kneecascade.pipeline.model import choose_model
from kneecascade.pipeline.models import list_models
from kneecascade.pipeline.pack_model import OF_IMAGES
from kneecascade.planning.plan_file import read_plan
from kneecascade.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models come along, instead of the installation's own."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "models")
    return tmp_path / "models"


def pack(workspace: Workspace, place: Path) -> Path:
    model = save_grey_model(workspace.results / "Dataset001_Tiny")
    card = workspace.results.parent / "card.json"
    card.write_text(json.dumps({"licence": "CC0"}))
    flags = ["--pack", str(model), "-o", str(place / "synthetic"), "--card", str(card)]
    assert main(flags) == 0
    return place / "synthetic"


def test_a_packed_model_is_listed_and_chosen(
    workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = pack(workspace, place)
    names = {model.name: model for model in list_models(workspace)}
    assert list(names) == ["synthetic", "Dataset001_Tiny"]
    assert (names["synthetic"].licence, names["synthetic"].folds) == ("CC0", ("fold_0",))
    assert names["synthetic"].card.endswith("card.json")
    assert main(["--workspace", str(workspace.results.parent)]) == 0
    assert "synthetic" in capsys.readouterr().out
    assert choose_model(workspace, model=Path("synthetic")) == packed
    assert shipped.shipped_name(packed) == "synthetic"
    assert shipped.shipped_name(workspace.results / "Dataset001_Tiny") is None


def test_a_packed_model_brings_along_what_its_held_out_cases_told(workspace: Workspace, place: Path) -> None:
    model = save_grey_model(workspace.results / "Dataset001_Tiny")
    limits = (Limit("volume", "bone", 1.0, 9.0, 3.0), Limit("tissue", "bone in channel 0", 0.1, 0.9, 0.5))
    labels = read_plan(model / "fold_0" / "plan.json").labels
    reference = QualityReference("Dataset001_Tiny", "", 4, labels, (), limits, RULES_VERSION)
    write_json(model / "quality.json", to_plain(reference))
    told = {"sureness": {"entropy": {"bone": 0.1}, "soft_dice": {"bone": 0.9}}}
    write_json(model / "fold_0" / "validation" / "summary.json", {"cases": {"a": told}})
    write_json(model / "fold_0" / "run.json", {"settings": {"synthetic": True}})
    found = read_reference(pack(workspace, place))
    assert found is not None
    checks = {limit.check for limit in found.limits}
    assert checks == {"volume", "entropy", "soft Dice", "fold agreement"}
    assert "tissue" in OF_IMAGES


def test_where_nothing_is_trained_the_shipped_one_is_used_and_said(
    workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = pack(workspace, place)
    empty = Workspace(*(workspace.results.parent / "empty" / name for name in ("raw", "prepared", "results")))
    capsys.readouterr()
    assert choose_model(empty) == packed
    assert "made-up knees" in capsys.readouterr().out


def test_packing_refuses_what_is_there(
    workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = pack(workspace, place)
    again = ["--pack", str(workspace.results / "Dataset001_Tiny"), "-o", str(packed)]
    assert main(again) == 2
    assert "is there already" in capsys.readouterr().err


def test_kernels_are_halved_and_nothing_else(workspace: Workspace, place: Path) -> None:
    state = {"conv": torch.full((2, 2, 1, 1, 1), 0.1), "norm": torch.full((2,), 1e-9), "n": torch.tensor(3)}
    half = halved(state)
    assert half["conv"].dtype == torch.float16
    assert half["norm"].dtype == torch.float32
    assert half["n"].dtype == torch.int64
    packed = pack(workspace, place)
    state, _ = load_weights(packed / "fold_0/fine/model.safetensors")
    assert state


def test_a_packed_model_tells_what_it_started_from_but_not_where_it_lay(
    workspace: Workspace, place: Path
) -> None:
    run = save_grey_model(workspace.results / "Dataset001_Tiny") / "fold_0/run.json"
    for start, told in (
        ("/home/me/results/fold_0", "results/fold_0"),
        ("C:\\me\\resnet_10.pth", "me/resnet_10.pth"),
    ):
        run.write_text(json.dumps({"seed": 3, "settings": {"pretrained": start, "seed": 3}}))
        shutil.rmtree(place, ignore_errors=True)
        packed = json.loads((pack(workspace, place) / "fold_0/run.json").read_text())
        assert packed == {"seed": 3, "settings": {"pretrained": told, "seed": 3}}


def test_no_model_at_all(workspace: Workspace, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(workspace.results.parent)]) == 0
    assert "no model comes with this installation" in capsys.readouterr().out
