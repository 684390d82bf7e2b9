import json
from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_plan
from test_pipeline_coarse_errors import stored
from test_pipeline_volume_calibration import errors_of
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.errors import CheckpointError
from kneecascade.inference.cascade import load_folds
from kneecascade.inference.folds import COARSE_SHARE, coarse_share, weights_file
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.pipeline import held_out
from kneecascade.pipeline.selection import NOTHING, selection
from kneecascade.pipeline.share_calibration import calibrate_share
from kneecascade.planning.plan_file import write_plan

PLAN = tiny_plan()
CARTILAGE = PLAN.labels.names.index("cartilage")


@pytest.fixture(autouse=True)
def _grey(monkeypatch):
    use_grey_networks(monkeypatch)


@pytest.fixture
def fold(tmp_path):
    return save_grey_model(tmp_path / "model") / "fold_0"


@pytest.fixture
def cases(tmp_path):
    return [stored(tmp_path, f"knee{k}", seed=k) for k in range(2)]


def confuse(monkeypatch):
    """Lets the fine stage take every third voxel for cartilage, hardly surer of it than of the truth."""
    predict = held_out.predict_stage

    def confused(*arguments):
        found = 0.5 * predict(*arguments)
        found[CARTILAGE].reshape(-1)[::3] += 0.52
        return found / found.sum(axis=0)

    monkeypatch.setattr(held_out, "predict_stage", confused)


def share_written(fold):
    return json.loads(load_weights(weights_file(fold, "fine"))[1][COARSE_SHARE])


def test_a_confused_fine_stage_gets_a_second_voice(fold, cases, monkeypatch, capsys):
    before, _ = load_weights(weights_file(fold, "fine"))
    confuse(monkeypatch)
    calibrate_share(fold, PLAN, errors_of(cases), cases, "cpu")
    chosen = share_written(fold)
    assert chosen["share"] > 0
    assert chosen["cases"] == 2
    assert chosen["dice_after"] > chosen["dice_before"] + 0.1
    assert f"a share of {chosen['share']:g}" in capsys.readouterr().out
    after, metadata = load_weights(weights_file(fold, "fine"))
    assert all(np.array_equal(after[name], before[name]) for name in before)
    assert f"share of {chosen['share']:g} selected on these cases" in selection(fold)
    calibrate_share(fold, PLAN, errors_of(cases), cases, "cpu")
    assert load_weights(weights_file(fold, "fine"))[1] == metadata


def test_a_sound_fine_stage_decides_alone(fold, cases, capsys):
    calibrate_share(fold, PLAN, errors_of(cases), cases, "cpu")
    assert share_written(fold)["share"] == 0
    assert "the fine stage decides alone" in " ".join(capsys.readouterr().out.split())
    assert selection(fold) == NOTHING


def test_a_plan_may_forbid_it(fold, cases, monkeypatch):
    confuse(monkeypatch)
    alone = replace(PLAN, region=replace(PLAN.region, most_coarse_share=0.0))
    calibrate_share(fold, alone, errors_of(cases), cases, "cpu")
    assert coarse_share([fold]) == 0
    little = replace(PLAN, region=replace(PLAN.region, most_coarse_share=0.25))
    calibrate_share(fold, little, errors_of(cases), cases, "cpu")
    assert 0 < share_written(fold)["share"] <= 0.2


def give(fold, share):
    path = weights_file(fold, "fine")
    state, metadata = load_weights(path)
    chosen = {"share": share, "dice_before": 0.7, "dice_after": 0.8, "cases": 2}
    save_weights(path, state, {**metadata, COARSE_SHARE: json.dumps(chosen)})


def test_folds_speak_with_their_mean_and_the_plan_has_the_last_word(tmp_path):
    model = save_grey_model(tmp_path / "model", folds=(0, 1))
    folds = [model / "fold_0", model / "fold_1"]
    give(folds[0], 0.4)
    assert coarse_share(folds) == pytest.approx(0.2)
    assert load_folds(folds, "cpu").coarse_share == pytest.approx(0.2)
    for each in folds:
        write_plan(replace(PLAN, region=replace(PLAN.region, most_coarse_share=0.1)), each / "plan.json")
    assert load_folds(folds, "cpu").coarse_share == pytest.approx(0.1)


def test_the_share_reaches_the_answer_but_not_a_look_at_the_whole_image(fold):
    volume, _ = knee(7)
    alone = load_folds([fold], "cpu")
    give(fold, 0.4)
    joint = load_folds([fold], "cpu")
    answers = [each.predict(volume, keep_probabilities=True) for each in (alone, joint)]
    fine, mixed = (answer.fine_probabilities for answer in answers)
    assert answers[0].region == answers[1].region
    assert np.abs(mixed - fine).max() > 0.1
    assert np.allclose(mixed.sum(axis=0), 1, atol=1e-3)
    assert answers[0].sureness == answers[1].sureness
    everywhere = [each.predict(volume, whole=True, keep_probabilities=True) for each in (alone, joint)]
    assert np.array_equal(everywhere[0].fine_probabilities, everywhere[1].fine_probabilities)


@pytest.mark.parametrize(
    "text", ["no json", "null", '{"dice": 1}', '{"share": "much"}', '{"share": -1}', '{"share": NaN}']
)
def test_a_share_that_cannot_be_meant_is_refused_with_its_file(fold, text):
    path = weights_file(fold, "fine")
    state, metadata = load_weights(path)
    save_weights(path, state, {**metadata, COARSE_SHARE: text})
    with pytest.raises(CheckpointError, match=f"{path.name}: coarse_share in its metadata"):
        load_folds([fold], "cpu")
