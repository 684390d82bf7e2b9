"""Tests of evaluation.piece_choice and evaluation.piece_gains."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.evaluation.piece_choice import candidates, choose
from kneecascade.evaluation.piece_gains import case_gains
from kneecascade.imaging.small_pieces import drop_small_pieces

LABELS = Labels(("background", "bone", "cartilage"), (0, 4, 2))
RULES = candidates("cartilage", 100.0)
NOBODY: dict[str, str] = {}


def _volume(array: np.ndarray) -> LabelVolume:
    shape = array.shape
    return LabelVolume(array, Geometry((shape[0], shape[1], shape[2]), (1.0, 2.0, 1.0)))


def test_candidates_are_mild_first() -> None:
    assert (
        PieceRule("cartilage", "above", 5.0),
        PieceRule("cartilage", "above", 25.0),
        PieceRule("cartilage", "largest"),
    ) == RULES
    assert candidates("cartilage", 0.0) == (PieceRule("cartilage", "largest"),)


def test_gains_are_those_of_dice_before_and_after() -> None:
    draw = np.random.default_rng(0)
    reference = np.zeros((20, 20, 20), np.uint8)
    reference[2:10, 2:18, 2:18], reference[10:13, 2:18, 2:18] = 4, 2
    predicted = reference.copy()
    places = draw.integers(0, 20, size=(60, 3))
    predicted[tuple(places.T)] = 2
    gains = case_gains(_volume(reference), predicted, LABELS, RULES)
    assert max(gains) > 0.005
    for rule, gain in zip(RULES, gains, strict=True):
        after, _ = drop_small_pieces(predicted, LABELS, [rule], 2.0)
        both = [dice_per_label(reference, array, LABELS) for array in (predicted, after)]
        differences = [(both[1][name] or 0) - (both[0][name] or 0) for name in LABELS.foreground]
        assert gain == pytest.approx(sum(differences), abs=1e-12)


def test_taking_away_what_is_not_there_at_all_counts_as_right() -> None:
    reference = np.zeros((8, 8, 8), np.uint8)
    predicted = reference.copy()
    predicted[4, 4, 4] = 2
    gains = case_gains(_volume(reference), predicted, LABELS, RULES)
    assert gains == [1.0, 1.0, 0.0]
    predicted[4, 4, 4] = 99  # no label at all
    assert case_gains(_volume(reference), predicted, LABELS, RULES) == [0.0, 0.0, 0.0]


def test_the_mildest_of_equals_is_chosen() -> None:
    gains = {f"case{k}": [0.01, 0.01, 0.01] for k in range(6)}
    choice = choose(RULES, gains, NOBODY)
    assert choice.rule == RULES[0]
    assert choice.gain == pytest.approx(0.01)
    assert choice.left_out_gain == pytest.approx(0.01)
    stronger = {name: [0.01, 0.02, 0.01] for name in gains}
    assert choose(RULES, stronger, NOBODY).rule == RULES[1]


@pytest.mark.parametrize(
    "gains",
    [
        [0.0009] * 6,  # too little
        [0.05] * 5 + [-0.011],  # one case is harmed
        [-0.02] * 6,
        [0.0] * 6,
    ],
)
def test_a_rule_that_helps_too_little_or_harms_is_left(gains: list[float]) -> None:
    table = {f"case{k}": [gain] for k, gain in enumerate(gains)}
    choice = choose(RULES[2:], table, NOBODY)
    assert choice.rule is None
    assert choice.gain == 0
    assert not choice.tried[0].helps
    assert choice.tried[0].gain == pytest.approx(np.mean(gains))


def test_one_lucky_case_chooses_nothing() -> None:
    table = {f"case{k}": [0.0] for k in range(9)} | {"lucky": [0.5]}
    choice = choose(RULES[2:], table, NOBODY)
    assert choice.tried[0].helps
    assert choice.left_out_gain == 0
    assert choice.rule is None


def test_few_people_choose_nothing_however_many_cases() -> None:
    table = {f"case{k}": [0.1] for k in range(12)}
    assert choose(RULES[2:], table, {f"case{k}": f"s{k % 4}" for k in range(12)}).rule is None
    assert choose(RULES[2:], table, {f"case{k}": f"s{k % 5}" for k in range(12)}).rule is not None
