import json
from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_plan
from test_pipeline_coarse_errors import stored

from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors
from kneecascade.inference.folds import weights_file
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.pipeline import held_out
from kneecascade.pipeline.selection import selection
from kneecascade.pipeline.volume_calibration import OFFSETS, calibrate_volumes, calibrated

PLAN = tiny_plan()
LABEL = PLAN.labels.names.index("cartilage")


@pytest.fixture
def fold(tmp_path):
    for stage, plan in (("coarse", PLAN.coarse), ("fine", PLAN.fine)):
        save_weights(weights_file(tmp_path / "fold_0", stage), build_network(plan.network), {"steps": "7"})
    return tmp_path / "fold_0"


@pytest.fixture
def cases(tmp_path):
    return [stored(tmp_path, f"knee{k}", seed=k) for k in range(5)]


def errors_of(cases):
    whole = [CaseErrors(c.name, c.name, None, 1.0, True, None, (), ()) for c in cases]
    return CoarseErrors(PLAN.region.margin_mm, PLAN.region.margin_mm, 1.0, tuple(whole))


def look(monkeypatch, lean):
    """Lets the fine stage see cartilage by its grey value, `lean` too much of it."""

    def predict(networks, image, stage, device, limits):
        logits = np.full((3, *image.shape[1:]), -3.0, dtype=np.float32)
        logits[0], logits[LABEL] = 0, 4 * (image[0] - 0.9) + lean
        powers = np.exp(logits)
        return powers / powers.sum(axis=0)

    monkeypatch.setattr(held_out, "predict_stage", predict)


def test_the_output_is_moved_once_and_says_so(fold, cases, monkeypatch):
    path = weights_file(fold, "fine")
    before = load_weights(path)[0]
    look(monkeypatch, lean=1.5)
    calibrate_volumes(fold, PLAN, errors_of(cases), cases, "cpu")
    after, metadata = load_weights(path)
    told = {each["label"]: each for each in json.loads(metadata[OFFSETS])}
    assert metadata["steps"] == "7"
    assert told["cartilage"]["offset"] != 0
    gained = after["heads.0.bias"] - before["heads.0.bias"]
    assert float(gained[LABEL]) == pytest.approx(told["cartilage"]["offset"], abs=1e-6)
    assert all(np.array_equal(after[name], before[name]) for name in before if name != "heads.0.bias")
    assert calibrated(path) == ("cartilage",)
    assert "volume of cartilage calibrated on these cases" in selection(fold)
    calibrate_volumes(fold, PLAN, errors_of(cases), cases, "cpu")
    assert load_weights(path)[1] == metadata
    assert np.array_equal(load_weights(path)[0]["heads.0.bias"], after["heads.0.bias"])


def test_few_subjects_leave_the_weights_and_are_noted(fold, cases, monkeypatch, capsys):
    path = weights_file(fold, "fine")
    before = load_weights(path)[0]["heads.0.bias"]
    look(monkeypatch, lean=1.5)
    same = errors_of(cases)
    same = replace(same, cases=tuple(replace(case, subject="anna") for case in same.cases))
    calibrate_volumes(fold, PLAN, same, cases, "cpu")
    assert np.array_equal(load_weights(path)[0]["heads.0.bias"], before)
    assert calibrated(path) == ()
    assert "cartilage" in capsys.readouterr().out


def test_weights_that_are_not_there_are_not_calibrated(tmp_path):
    assert calibrated(tmp_path / "model.safetensors") == ()
