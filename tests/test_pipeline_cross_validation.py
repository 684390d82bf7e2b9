"""Tests of pipeline.cross_validation and its parts: pipeline.cross_validation_folds,
pipeline.cross_validation_rules, pipeline.cross_validation_ensemble, pipeline.cross_validation_tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folds_site import NAME, SECOND_BONE, STRAY, build, odd_knee, set_aside
from tiny_models import save_grey_model

from kneecascade.cli.cross_validation import main
from kneecascade.cli.predict import main as predict
from kneecascade.core.settings import TrainSettings
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline import cross_validation_folds
from kneecascade.pipeline.cross_validation_ensemble import mean_member
from kneecascade.pipeline.in_memory import load_model
from kneecascade.workspace import SPLITS, Workspace


def _run(workspace: Workspace, *flags: str) -> int:
    root = str(workspace.results.parent)
    return main(["1", *flags, "--workspace", root, "--device", "cpu", "--workers", "1"])


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def test_all_of_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = build(workspace, monkeypatch)
    assert _run(workspace) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fold 0: not validated" in shown
    assert "selected nothing on these cases" in shown
    assert "rules on small pieces (selected on these cases)" in shown
    summary = _json(model / "cross_validation" / "summary.json")
    assert set(summary["cases"]) == {f"case{k}" for k in range(6)}
    assert set(summary["groups"]) == {"fold", "site"}
    assert {g["bone"]["dice"]["n"] for g in summary["groups"]["fold"].values()} == {2}
    assert summary["groups"]["site"]["east"]["cartilage"]["dice"]["n"] == 3
    assert (model / "cross_validation" / "summary.csv").read_text().startswith("case,subject")
    after = summary["postprocessing"]["dice"]
    assert after["cartilage"]["after"]["mean"] > after["cartilage"]["before"]["mean"] + 0.005
    assert after["bone"]["after"] == after["bone"]["before"]
    chosen = _json(model / "postprocessing.json")
    assert [rule["label"] for rule in chosen["rules"]] == ["cartilage"]
    assert chosen["selection"].startswith("selected on these cases")
    harmed = chosen["labels"]["bone"]["tried"][-1]
    assert harmed["rule"]["keep"] == "largest"
    assert harmed["gain"] < -0.01
    _prediction_follows_the_rules(workspace, tmp_path, model, capsys)


def _prediction_follows_the_rules(
    workspace: Workspace, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, root = workspace.raw / NAME / "imagesTs", str(workspace.results.parent)
    for flags, tidy in (([], True), (["--no-postprocessing"], False)):
        out = tmp_path / f"out{tidy}"
        arguments = ["-i", str(images), "-o", str(out), "--workspace", root, "--device", "cpu", *flags]
        assert predict(arguments) == 0
        assert ("postprocessing.json: cartilage: pieces under" in capsys.readouterr().out) == tidy
        record = _json(out / "predictions.json")
        assert len(record["model"]["postprocessing"]) == tidy
        lost = record["cases"]["unseen0"]["dropped_mm3"]
        assert (50 < lost.get("cartilage", 0) < 80) == tidy
        array = read_labels(out / "unseen0.nii.gz").array
        assert (array[STRAY] == (0 if tidy else 2)).mean() > 0.9
        assert (array[SECOND_BONE] == 1).mean() > 0.9
        in_memory = load_model(model, device="cpu", postprocess=tidy).predict(images / "unseen0_0000.nii.gz")
        assert np.array_equal(in_memory.array, array)
    alone = load_model(model / "fold_1", device="cpu").predict(images / "unseen0_0000.nii.gz").array
    assert (alone[STRAY] == 0).all()
    arguments = ["-i", str(images), "-o", str(tmp_path / "outTrue"), "--workspace", root, "--continue"]
    assert predict([*arguments, "--no-postprocessing", "--device", "cpu"]) == 0
    assert "0 images were finished" in capsys.readouterr().out


def test_rules_of_other_weights_are_not_used(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    assert _run(workspace) == 0
    save_grey_model(model, folds=(2,), shift=0.02)
    volume, _ = odd_knee(9)
    capsys.readouterr()
    assert (load_model(model, device="cpu").predict(volume).array[STRAY] == 2).mean() > 0.9
    assert "other weights than those of fold_2" in " ".join(capsys.readouterr().err.split())
    assert (load_model(model, [0, 1], "cpu").predict(volume).array[STRAY] == 0).all()


def test_what_is_done_is_kept_and_what_is_stale_done_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    assert _run(workspace) == 0
    first = (model / "cross_validation" / "summary.json").read_text()
    capsys.readouterr()
    assert _run(workspace) == 0
    assert "are segmented" not in capsys.readouterr().out
    assert (model / "cross_validation" / "summary.json").read_text() == first
    (model / "fold_1/validation/case1.nii.gz").unlink()
    save_grey_model(model, folds=(2,), shift=0.02)
    assert _run(workspace) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fold 0:" not in shown
    assert "fold 1: case1.nii.gz is missing; its held-out cases are segmented" in shown
    assert "fold 2: validated with other weights" in shown


def test_a_missing_fold_is_named_with_the_command(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    (model / "fold_1" / "fine" / "model.safetensors").unlink()
    assert _run(workspace) == 2
    error = capsys.readouterr().err
    assert "not trained: fold 1; run kc_train 1 1 --continue, or add --train" in error
    assert "--folds 0,2" in error
    assert not (model / "postprocessing.json").exists()
    assert _run(workspace, "--folds", "0,2") == 0
    told = capsys.readouterr()
    assert "not all folds" in told.err
    assert set(_json(model / "postprocessing.json")["weights"]) == {"fold_0", "fold_2"}
    assert _json(model / "postprocessing.json")["rules"] == []  # four people are too few


def test_a_fold_that_saw_its_held_out_cases_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    (model / "fold_1" / "run.json").write_text(json.dumps({"training": ["case1", "case0"]}))
    assert _run(workspace) == 2
    assert "was trained on case1" in capsys.readouterr().err


def test_the_test_set_is_scored_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    assert _run(workspace, "--test") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "test set (labelsTs), 2 cases, 3 folds; selected nothing on these cases" in shown
    file = model / "test" / "summary.json"
    first = _json(file)
    assert first["looks"] == 1
    assert set(first["members"]) == set(first["folds"]) == {"fold_0", "fold_1", "fold_2"}
    assert first["mean_dice"]["cartilage"]["mean"] > 0.97
    assert first["mean_dice"]["cartilage"]["n"] == 2
    alone = [member["cartilage"]["mean"] for member in first["members"].values()]
    found = first["comparison"]["cartilage"]["dice"]
    assert found["mean_against"] == pytest.approx(np.mean(alone), abs=1e-5)
    assert found["difference"] == pytest.approx(found["mean"] - found["mean_against"], abs=2e-6)
    assert found["low"] <= found["difference"] <= found["high"]
    assert (read_labels(model / "test/ensemble/unseen0.nii.gz").array[STRAY] == 0).all()
    assert len(list((model / "test" / "pictures").glob("*.png"))) == 1

    assert _run(workspace, "--test") == 2
    assert "--again" in capsys.readouterr().err
    assert _json(file) == first
    assert _run(workspace, "--test", "--again") == 0
    assert "2 images were finished" in capsys.readouterr().out
    second = _json(file)
    assert (second["looks"], second["again"], len(second["earlier"])) == (2, True, 1)
    assert second["earlier"][0]["scored_at"] == first["scored_at"]
    assert second["mean_dice"] == first["mean_dice"]

    save_grey_model(model, folds=(0,), shift=0.02)
    (model / "fold_0/coarse/model.safetensors").write_bytes(
        (model / "fold_1/coarse/model.safetensors").read_bytes()
    )
    assert _run(workspace, "--test") == 0  # another model
    third = _json(file)
    assert (third["looks"], third["again"]) == (3, False)


def test_train_trains_the_missing_folds_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    (model / "fold_1").rename(workspace.raw / "away")
    asked: list[tuple[Any, ...]] = []

    def train(where: Workspace, dataset: str, folds: list[int], settings: TrainSettings) -> None:
        asked.append((where, dataset, folds, settings.time_limit_s, settings.resume))
        (workspace.raw / "away").rename(model / "fold_1")

    monkeypatch.setattr(cross_validation_folds, "train_folds", train)
    assert _run(workspace, "--train", "--time-limit", "2m") == 0
    assert asked == [(workspace, NAME, [1], 120.0, True)]
    assert set(_json(model / "cross_validation/summary.json")["folds"]) == {"fold_0", "fold_1", "fold_2"}


def test_cases_set_aside_are_the_test_set(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    set_aside(workspace, "case5")
    assert _run(workspace, "--test") == 0
    summary = _json(model / "test" / "summary.json")
    assert list(summary["cases"]) == ["case5"]
    assert summary["test_set"] == "test.json"
    assert "case5" not in _json(model / "cross_validation" / "summary.json")["cases"]


def test_nothing_is_scored_before_every_test_case_is_segmented(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build(workspace, monkeypatch)
    (workspace.raw / NAME / "imagesTs" / "unseen1_0000.nii.gz").write_bytes(b"alas")
    assert _run(workspace, "--test") == 2
    assert "nothing is scored" in capsys.readouterr().err
    assert not (model / "test" / "summary.json").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--again"], "belongs to --test"),
        (["--time-limit", "1m"], "add --train"),
        (["--folds", "7"], "fold 7"),
    ],
)
def test_mistakes_end_in_one_line(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    build(workspace, monkeypatch, cases=3)
    assert _run(workspace, *flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_no_folds_and_no_test_set(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build(workspace, monkeypatch, cases=3)
    for file in (workspace.raw / NAME / "labelsTs").iterdir():
        file.unlink()
    assert _run(workspace, "--test") == 2
    assert "no test set" in capsys.readouterr().err
    (workspace.preprocessed / NAME / SPLITS).unlink()
    assert _run(workspace) == 2
    assert "run kc_plan_and_preprocess" in capsys.readouterr().err


def test_the_mean_member_has_none_where_a_member_has_none() -> None:
    members = {
        "fold_0": {"a": {"bone": {"dice": 0.8, "assd_mm": None}}},
        "fold_1": {"a": {"bone": {"dice": 0.6, "assd_mm": 1.0}}},
    }
    assert mean_member(members) == {"a": {"bone": {"dice": pytest.approx(0.7), "assd_mm": None}}}


def test_folds_that_selected_differently_are_told_apart() -> None:
    told = {"fold_0": "selected nothing", "fold_1": "margin selected", "fold_2": "selected nothing"}
    words = cross_validation_folds.selections_in_words(told)
    assert words == "fold_0, fold_2: selected nothing; fold_1: margin selected"
    assert cross_validation_folds.selections_in_words({"fold_0": "a; b", "fold_1": "a; b"}) == "a; b"
