import json

import pytest
import torch

from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.settings import TrainSettings
from kneecascade.network.checkpoint import save_weights
from kneecascade.pipeline.budget import round_budget, stage_budget

LIMIT = TrainSettings(time_limit_s=1000.0, target_dice=0.9, max_rounds=3)
ERRORS = CoarseErrors(8.0, 6.0, 5.0, ())


@pytest.fixture
def fold(tmp_path):
    save_weights(tmp_path / "coarse" / "model.safetensors", {"w": torch.zeros(1)}, {"seconds": "200"})
    (tmp_path / "validation").mkdir()
    cases = {name: {"seconds": {"total": 4.0}} for name in "ab"}
    (tmp_path / "validation" / "summary.json").write_text(json.dumps({"cases": cases}))
    return tmp_path


def state(fold, **numbers):
    metadata = {"numbers": json.dumps(numbers)}
    save_weights(fold / "fine" / "training_state.safetensors", {"w": torch.zeros(1)}, metadata)


def test_rounds_share_what_coarse_left(fold):
    assert stage_budget("coarse", fold, LIMIT, None) == pytest.approx(0.3 * 940)
    assert stage_budget("fine", fold, LIMIT, ERRORS) == pytest.approx((940 - 200 - 5) / 3)
    state(fold, round=1, elapsed_s=300.0)
    left = 1000 - 200 - 5 - 300 - 8
    assert round_budget(2, fold, LIMIT, ERRORS) == pytest.approx(left / 2 - 8)
    state(fold, round=2, elapsed_s=350.0, first_s=300.0)  # interrupted: the same budget again
    assert round_budget(2, fold, LIMIT, ERRORS) == pytest.approx(left / 2 - 8)
    state(fold, round=2, elapsed_s=700.0, first_s=300.0)
    assert round_budget(3, fold, LIMIT, ERRORS) < 100


def test_without_a_limit_there_is_no_budget(fold):
    free = TrainSettings(target_dice=0.9, max_rounds=3)
    assert stage_budget("fine", fold, free, ERRORS) is None
    assert round_budget(2, fold, free, ERRORS) is None
