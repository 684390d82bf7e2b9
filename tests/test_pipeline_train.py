import json
from dataclasses import replace

import pytest
import torch
from plans import tiny_plan
from raw_folder import write_raw

from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors
from kneecascade.core.record import to_plain
from kneecascade.core.settings import TrainSettings
from kneecascade.errors import CheckpointError, InputError, OutOfTimeError, PlanError, SettingsError
from kneecascade.files import write_json
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.pipeline import fold
from kneecascade.pipeline import train as pipeline
from kneecascade.pipeline.coarse_errors import errors_file, read_coarse_errors
from kneecascade.pipeline.fold import Fold
from kneecascade.pipeline.margin import with_margin
from kneecascade.pipeline.plan_and_preprocess import prepare_case
from kneecascade.pipeline.train import train_folds
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import read_plan, write_plan
from kneecascade.preprocessing.store import case_key
from kneecascade.training.position import Round
from kneecascade.workspace import PLAN, STORE

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
    """Replaces training, measuring and validation: only what would be done is noted."""
    done = []

    def train_stage(stage, plan, training, held_out, settings, folder, budget_s, sampling, this_round):
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(folder / "model.safetensors", {"w": torch.zeros(1)}, {"seconds": "10.0"})
        done.append((folder.parent.name, stage, budget_s, plan))

    def measure(folder, plan, cases, subjects, device):
        one = CaseErrors(cases[0].name, "anna", None, 1.0, False, ((5.0, 0, 0), (0, 0, 0)), (), ())
        errors = CoarseErrors(plan.region.margin_mm, 6.5, 4.0, (one,))
        write_json(errors_file(folder), to_plain(errors))
        done.append((folder.name, "measured"))
        return errors

    def validate_fold(folder, cases, settings):
        (folder / "validation").mkdir(parents=True, exist_ok=True)
        (folder / "validation" / "summary.json").write_text("{}")
        done.append((folder.name, "validation", [case.name for case in cases]))

    monkeypatch.setattr(pipeline, "train_stage", train_stage)
    monkeypatch.setattr(pipeline, "measure_coarse_errors", measure)

    def calibrate(folder, plan, errors, cases, device):
        (folder / "calibrated").touch()

    def share(folder, plan, errors, cases, device):
        # the share depends on the volumes
        (folder / "shared").write_text(str((folder / "calibrated").exists()))

    monkeypatch.setattr(pipeline, "validate_fold", validate_fold)
    monkeypatch.setattr(pipeline, "calibrate_volumes", calibrate)
    monkeypatch.setattr(pipeline, "calibrate_share", share)
    return done


def names(done):
    return [entry[:2] for entry in done]


def test_a_fold_is_trained_and_scored(prepared):
    train_folds(prepared, "1", (1,), QUICK)
    folder = prepared.results / NAME / "fold_1"
    for stage in ("coarse", "fine"):
        assert load_weights(folder / stage / "model.safetensors")[1]["stage"] == stage
    errors = read_coarse_errors(folder)
    assert errors.planned_margin_mm == tiny_plan().region.margin_mm
    assert read_plan(folder / "plan.json") == with_margin(tiny_plan(), errors)
    run = json.loads((folder / "run.json").read_text())
    assert sorted(run["training"] + run["held_out"]) == ["case0", "case1", "case2"]
    assert run["settings"]["epochs"] == 1
    assert run["data_licence"] == ""
    summary = json.loads((folder / "validation" / "summary.json").read_text())
    assert list(summary["cases"]) == run["held_out"]
    assert "margin selected on these cases; recall leaves the scored subject out" in summary["selection"]
    assert "epoch 1" in (folder / "training.log").read_text()


def test_all_folds_one_after_the_other(prepared, stages):
    train_folds(prepared, NAME, None, QUICK)
    wanted = [(f"fold_{k}", part) for k in range(3) for part in ("coarse", "measured", "fine", "validation")]
    assert names(stages) == wanted


def test_the_output_is_calibrated_before_the_held_out_cases_are_scored(prepared, stages):
    train_folds(prepared, "1", (1,), QUICK)
    assert (prepared.results / NAME / "fold_1" / "shared").read_text() == "True"
    train_folds(prepared, "1", (0,), replace(QUICK, calibrate_volumes=False))
    assert names(stages)[-1] == ("fold_0", "validation")
    assert (prepared.results / NAME / "fold_0" / "shared").read_text() == "False"


def test_a_trained_fold_is_not_overwritten_unasked(prepared, stages):
    train_folds(prepared, "1", (0,), QUICK)
    with pytest.raises(SettingsError, match="--continue goes on"):
        train_folds(prepared, "1", (0,), QUICK)
    assert len(stages) == 4
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    assert len(stages) == 4  # all was there
    train_folds(prepared, "1", (0,), replace(QUICK, overwrite=True))
    assert len(stages) == 8


def test_one_stage_alone(prepared, stages):
    train_folds(prepared, "1", (0,), replace(QUICK, stages=("fine",)))
    assert names(stages) == [("fold_0", "fine")]
    train_folds(prepared, "1", (0,), replace(QUICK, stages=("coarse",)))
    assert names(stages)[1:] == [("fold_0", part) for part in ("coarse", "measured", "validation")]


def test_the_time_limit_is_shared(prepared, stages):
    train_folds(prepared, "1", (0,), replace(QUICK, time_limit_s=1000.0))
    (_, _, coarse, _), _, (_, _, fine, _) = stages[:3]
    assert coarse == pytest.approx(0.3 * 940)
    assert fine == pytest.approx(940 - 10 - 4)  # coarse ended after ten seconds, measuring after four
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
    monkeypatch.setattr(fold, "medicalnet_depth_of", lambda path: 18)
    monkeypatch.setattr(fold, "load_medicalnet", lambda encoder, path: "")
    train_folds(prepared, "1", (0,), replace(QUICK, pretrained="resnet_18.pth"))
    network = stages[2][3].fine.network
    assert (network.depth, network.width) == (18, 64)
    assert "MedicalNet-18 of width 64" in capsys.readouterr().out
    # Going on needs no second --pretrained: the fold knows its network.
    (prepared.results / NAME / "fold_0" / "fine" / "model.safetensors").unlink()
    (prepared.results / NAME / "fold_0" / "fine" / "training_state.safetensors").write_text("")
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    assert stages[-2][3].fine.network == network


def test_the_margin_that_was_chosen_goes_into_the_plan(prepared, stages, capsys):
    train_folds(prepared, "1", (0,), QUICK)
    folder = prepared.results / NAME / "fold_0"
    assert stages[0][3].region.margin_mm == tiny_plan().region.margin_mm  # coarse
    assert stages[2][3].region.margin_mm == 6.5  # fine
    assert read_plan(folder / "plan.json").region.margin_mm == 6.5
    assert "up to 5 mm needed on 1 held-out cases; margin 6.5 mm, planned 4" in capsys.readouterr().out
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))  # the same plan, but for the margin
    assert read_plan(folder / "plan.json").region.margin_mm == 6.5
    assert len(stages) == 4


def test_a_finished_fold_without_errors_gets_them(prepared, stages):
    train_folds(prepared, "1", (0,), QUICK)
    folder = prepared.results / NAME / "fold_0"
    errors_file(folder).unlink()
    write_plan(tiny_plan(), folder / "plan.json")
    train_folds(prepared, "1", (0,), replace(QUICK, resume=True))
    assert [part for _, part in names(stages)[4:]] == ["measured", "validation"]
    assert read_plan(folder / "plan.json").region.margin_mm == 6.5


def test_nothing_is_deleted_before_all_is_checked(prepared, stages, tmp_path, monkeypatch):
    train_folds(prepared, "1", (0, 1), QUICK)
    again = replace(QUICK, overwrite=True)
    model = prepared.results / NAME
    monkeypatch.setattr(fold, "start_from", lambda network, path: ("", True))
    for source in (model, model / "fold_1"):
        with pytest.raises(SettingsError, match="would delete the weights that --pretrained names; copy"):
            train_folds(prepared, "1", (0, 1), replace(again, pretrained=str(source)))
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="no such file"):
        train_folds(prepared, "1", (0, 1), replace(again, pretrained=str(tmp_path / "gone.pth")))
    with pytest.raises(CheckpointError, match="of another network"):
        train_folds(prepared, "1", (0,), replace(again, pretrained=str(model / "fold_1")))
    with pytest.raises(SettingsError, match="device mps"):
        train_folds(prepared, "1", (0, 1), replace(again, device="mps"))
    (model / "fold_1" / "plan.json").write_text("{}")
    with pytest.raises(PlanError):
        train_folds(prepared, "1", (0, 1), replace(again, stages=("fine",)))
    for number in (0, 1):
        for stage in ("coarse", "fine"):
            assert (model / f"fold_{number}" / stage / "model.safetensors").is_file()
        assert (model / f"fold_{number}" / "validation").is_dir()


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


def test_a_round_without_time_for_a_step_is_none(tmp_path, monkeypatch):
    def train_stage(*_, **__):
        raise OutOfTimeError("fine: over before the first step")

    monkeypatch.setattr(pipeline, "train_stage", train_stage)
    work = pipeline._Work(Fold(0, tmp_path, (), ()), tiny_plan(), [], [], QUICK, None)
    assert not work.train_further(Round(2, None))
    with pytest.raises(OutOfTimeError):  # the first round is missed by the user
        work.train_first("fine")
