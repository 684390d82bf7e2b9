from __future__ import annotations

import numpy as np
import pytest

from kneecascade.evaluation.bootstrap import Resampling, mean_interval
from kneecascade.evaluation.report import Statistic, owner, statistic, summarize


def test_statistic() -> None:
    assert statistic([None]) == Statistic(None, None, 0)
    assert statistic([0.5, None]) == Statistic(0.5, None, 1)
    two = statistic([0.4, None, 0.6])
    assert (two.mean, two.n) == (pytest.approx(0.5), 2)
    assert two.sd == pytest.approx(np.std([0.4, 0.6], ddof=1))


def test_summary_of_labels() -> None:
    cases = {f"c{k}": {"bone": {"dice": value, "hd_mm": None}} for k, value in enumerate((0.2, 0.4, 0.9))}
    cases["c3"] = {"bone": {"dice": None, "hd_mm": None}}
    found = summarize(cases, ("bone", "absent"), {})
    dice = found["bone"]["dice"]
    assert (dice.n, dice.undefined, dice.mean, dice.median) == (3, 1, pytest.approx(0.5), 0.4)
    assert dice.low is not None
    assert 0.2 <= dice.low < 0.5 < dice.high <= 0.9  # type: ignore[operator]
    none = found["bone"]["hd_mm"]
    assert (none.n, none.undefined, none.mean, none.low) == (0, 4, None, None)
    assert found["absent"] == {}


def test_interval_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400)
    low, high = mean_interval(list(values), [str(k) for k in range(400)])
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.05)
    assert high == pytest.approx(values.mean() + half, abs=0.05)


def test_interval_draws_whole_subjects() -> None:
    values = np.repeat(np.random.default_rng(4).normal(0, 1, 30), 4)
    alone = mean_interval(list(values), [str(k) for k in range(120)])
    together = mean_interval(list(values), [str(k // 4) for k in range(120)])
    width = [high - low for low, high in (alone, together)]  # type: ignore[operator]
    assert width[1] == pytest.approx(2 * width[0], rel=0.15)


def test_interval_is_seeded_and_needs_two_subjects() -> None:
    values, owners = list(np.random.default_rng(5).normal(0, 1, 20)), list("abcdefghijklmnopqrst")
    assert mean_interval(values, owners) == mean_interval(values, owners)
    assert mean_interval(values, owners) != mean_interval(values, owners, Resampling(seed=1))
    assert mean_interval(values, ["a"] * 20) == (None, None)
    assert mean_interval([], []) == (None, None)


def test_a_case_is_not_taken_for_a_subject_of_its_name() -> None:
    assert owner("a", {"b": "a"}) != owner("b", {"b": "a"})
    assert owner("a", {"a": ""}) == owner("a", {})
