from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from kneecascade.core.labels import Labels
from kneecascade.inference.sureness import mean_and_votes, sureness_of

LABELS = Labels(("background", "bone", "cartilage"), (0, 3, 5))
SHAPE = (6, 6, 8)


def _probabilities(classes: np.ndarray, sure: float) -> np.ndarray:
    rest = (1 - sure) / 2
    return np.stack([np.where(classes == k, sure, rest) for k in range(3)]).astype(np.float32)


def _halves() -> np.ndarray:
    classes = np.zeros(SHAPE, dtype=np.uint8)
    classes[..., 4:] = 1
    return classes


def test_entropy_is_0_for_the_sure_and_1_for_the_guessing() -> None:
    sure = sureness_of(_probabilities(_halves(), 1.0), [], LABELS)
    assert sure.entropy == {"bone": pytest.approx(0, abs=1e-4)}
    assert sure.fold_dice == {}
    guess = _probabilities(_halves(), 0.3334)
    assert sureness_of(guess, [], LABELS).entropy["bone"] == pytest.approx(1, abs=1e-3)
    half = sureness_of(_probabilities(_halves(), 0.8), [], LABELS).entropy["bone"]
    assert half == pytest.approx(-(0.8 * np.log(0.8) + 0.2 * np.log(0.1)) / np.log(3), abs=1e-3)


def test_soft_dice_is_what_the_probabilities_promise() -> None:
    assert sureness_of(_probabilities(_halves(), 1.0), [], LABELS).soft_dice == {"bone": pytest.approx(1)}
    # half of the voxels say bone with .8, the other half background, bone .1
    found = sureness_of(_probabilities(_halves(), 0.8), [], LABELS).soft_dice
    assert found == {"bone": pytest.approx(2 * 0.8 / (1 + 0.8 + 0.1), abs=1e-3)}
    # a label that won nowhere, however much of it there may be, has none
    unsure = _probabilities(np.zeros(SHAPE, dtype=np.uint8), 0.4)
    assert sureness_of(unsure, [], LABELS).soft_dice == {}


def test_the_smallest_dice_of_any_two_folds() -> None:
    a, b = _halves(), _halves()
    b[..., 6:] = 0
    found = sureness_of(_probabilities(a, 1.0), [a, a, b], LABELS).fold_dice
    assert found == {"bone": pytest.approx(2 * 1 / 3, abs=1e-3)}
    b[0, 0, 0] = 2
    assert sureness_of(_probabilities(a, 1.0), [a, b], LABELS).fold_dice["cartilage"] == 0


def test_mean_and_votes_of_folds() -> None:
    answers = {0: _probabilities(_halves(), 0.9), 1: _probabilities(1 - _halves(), 0.7)}
    networks = [nn.Identity(), nn.Identity()]

    def predict(some: object) -> np.ndarray:
        (one,) = some  # type: ignore[misc]
        return answers[networks.index(one)].copy()

    mean, votes = mean_and_votes(networks, predict)
    assert np.allclose(mean, (answers[0] + answers[1]) / 2)
    assert np.array_equal(votes[0], _halves())
    assert np.array_equal(votes[1], 1 - _halves())
    alone, none = mean_and_votes(networks[:1], lambda some: answers[len(some) - 1])
    assert np.array_equal(alone, answers[0])
    assert none == []
