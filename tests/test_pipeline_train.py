import json
from dataclasses import replace

import pytest
import torch
from plans import tiny_plan
from raw_folder import write_raw

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import InputError, PlanError, SettingsError
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.pipeline import train as pipeline
from kneecascade.pipeline.plan_and_preprocess import PLAN, STORE, prepare_case
from kneecascade.pipeline.train import train_folds
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import read_plan, write_plan
from kneecascade.preprocessing.store import case_key

NAME = "Dataset001_Tiny"
QUICK = TrainSettings(epochs=1, iterations_per_epoch=2, device="cpu")


@pytest.fixture
def prepared(workspace):
    raw = read_dataset(write_raw(workspace.raw / NAME))
    plan, folder = tiny_plan(), workspace.preprocessed / NAME
    write_plan(plan, folder / PLAN)
    for case in raw.training:
        prepare_case((case, case_key(case, plan)), plan, folder / STORE)
    return workspace


@pytest.fixture
def stages(monkeypatch):
    """Replaces training and validation: only what would be done is noted."""
    done = []

    def train_stage(stage, plan, training, held_out, settings, folder, budget_s):
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(folder / "model.safetensors", {"w": torch.zeros(1)}, {"seconds": "10.0"})
        done.append((folder.parent.name, stage, budget_s, plan))

    def validate_fold(folder, cases, settings):
        (folder / "validation").mkdir(parents=True, exist_ok=True)
        (folder / "validation" / "summary.json").write_text("{}")
        done.append((folder.name, "validation", [case.name for case in cases]))

    monkeypatch.setattr(pipeline, "train_stage", train_stage)
    monkeypatch.setattr(pipeline, "validate_fold", validate_fold)
    return done


def names(done):
    return [entry[:2] for entry in done]


def test_a_fold_is_trained_and_scored(prepared):
    train_folds(prepared, "1", (1,), QUICK)
    fold = prepared.results / NAME / "fold_1"
    for stage in ("coarse", "fine"):
        assert load_weights(fold / stage / "model.safetensors")[1]["stage"] == stage
    assert read_plan(fold / "plan.json") == tiny_plan()
    run = json.loads((fold / "run.json").read_text())
    assert sorted(run["training"] + run["held_out"]) == ["case0", "case1", "case2"]
    assert run["settings"]["epochs"] == 1
    summary = json.loads((fold / "validation" / "summary.json").read_text())
    assert list(summary["cases"]) == run["held_out"]
    assert "epoch 1" in (fold / "training.log").read_text()


def test_all_folds_one_after_the_other(prepared, stages):
    train_folds(prepared, NAME, None, QUICK)
    wanted = [(f"fold_{k}", part) for k in range(3) for part in ("coarse", "fine", "validation")]
    assert names(stages) == wanted


def test_a_trained_fold_is_not_overwritten_unasked(prepared, stages):
    train_folds(prepared, "1", (0,), QUICK)
    with pytest.raises(SettingsError, match="--continue goes on"):
        train_folds(prepared, "1", (0,), QUICK)
    assert len(stages) == 3
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    assert len(stages) == 3  # all was there
    train_folds(prepared, "1", (0,), replace(QUICK, overwrite=True))
    assert len(stages) == 6


def test_one_stage_alone(prepared, stages):
    train_folds(prepared, "1", (0,), replace(QUICK, stages=("fine",)))
    assert names(stages) == [("fold_0", "fine")]
    train_folds(prepared, "1", (0,), replace(QUICK, stages=("coarse",)))
    assert names(stages)[1:] == [("fold_0", "coarse"), ("fold_0", "validation")]


def test_the_time_limit_is_shared(prepared, stages):
    train_folds(prepared, "1", (0,), replace(QUICK, time_limit_s=1000.0))
    (_, _, coarse, _), (_, _, fine, _) = stages[:2]
    assert coarse == pytest.approx(0.3 * 940)
    assert fine == pytest.approx(940 - 10)  # coarse ended after ten seconds
    train_folds(prepared, "1", (1,), replace(QUICK, time_limit_s=1000.0, stages=("fine",)))
    assert stages[-1][2] == pytest.approx(940)


def test_another_plan_is_refused(prepared, stages):
    train_folds(prepared, "1", (0,), QUICK)
    write_plan(replace(tiny_plan(), mirror_axes=(2,)), prepared.preprocessed / NAME / PLAN)
    with pytest.raises(PlanError, match="begun with another plan"):
        train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    train_folds(prepared, "1", (0,), replace(QUICK, overwrite=True))
    assert read_plan(prepared.results / NAME / "fold_0" / "plan.json").mirror_axes == (2,)


def test_pretrained_weights_decide_the_fine_network(prepared, stages, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "medicalnet_depth_of", lambda path: 18)
    train_folds(prepared, "1", (0,), replace(QUICK, pretrained="resnet_18.pth"))
    network = stages[1][3].fine.network
    assert (network.depth, network.width) == (18, 64)
    assert "MedicalNet-18 of width 64" in capsys.readouterr().out
    # Going on needs no second --pretrained: the fold knows its network.
    (prepared.results / NAME / "fold_0" / "fine" / "model.safetensors").unlink()
    (prepared.results / NAME / "fold_0" / "fine" / "training_state.safetensors").write_text("")
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    assert stages[-2][3].fine.network == network


def test_what_is_missing_is_named(prepared, stages):
    with pytest.raises(SettingsError, match="fold 7: there are folds 0 to 2"):
        train_folds(prepared, "1", (7,), QUICK)
    case = prepared.preprocessed / NAME / STORE / "case1" / "case.json"
    case.unlink()
    with pytest.raises(InputError, match="case1; run kc_plan_and_preprocess"):
        train_folds(prepared, "1", (0,), QUICK)
    (prepared.preprocessed / NAME / PLAN).unlink()
    with pytest.raises(PlanError, match="no plan; run kc_plan_and_preprocess"):
        train_folds(prepared, "1", (0,), QUICK)
    assert not stages
