from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kneecascade.evaluation.comparison import compare, holm, signed_rank_p
from kneecascade.evaluation.measures import OVERLAP

DICE = {"dice": OVERLAP["dice"]}


def _cases(values: list[float | None], label: str = "bone") -> dict[str, dict[str, dict[str, float | None]]]:
    return {f"c{k}": {label: {"dice": value}} for k, value in enumerate(values)}


def test_paired_differences_by_hand() -> None:
    ours = _cases([0.9, 0.8, 0.7, None, 0.6, 0.95])
    others = _cases([0.8, 0.85, 0.5, 0.4, 0.5, None])
    others["more"] = others["c0"]
    found = compare(ours, others, ("bone",), DICE, {})["bone"]["dice"]
    assert (found.n, found.left_out, found.subjects) == (4, 2, 4)
    assert found.difference == pytest.approx(np.mean([0.1, -0.05, 0.2, 0.1]))
    assert found.mean == pytest.approx(0.75)
    assert found.mean_against == pytest.approx(0.6625)
    assert found.low < found.difference < found.high  # type: ignore[operator]
    assert found.p == pytest.approx(stats.wilcoxon([0.1, -0.05, 0.2, 0.1]).pvalue)


def test_a_clear_difference_is_found_and_none_is_not() -> None:
    generator = np.random.default_rng(0)
    base = generator.uniform(0.7, 0.9, 30)
    better = compare(_cases(list(base + 0.02)), _cases(list(base)), ("bone",), DICE, {})["bone"]["dice"]
    assert better.p is not None
    assert better.p < 1e-5
    assert better.low == pytest.approx(0.02)
    noise = base + generator.normal(0, 0.02, 30)
    same = compare(_cases(list(noise)), _cases(list(base)), ("bone",), DICE, {})["bone"]["dice"]
    assert same.low < 0 < same.high  # type: ignore[operator]


def test_cases_of_a_subject_count_once() -> None:
    ours, others = _cases([0.9, 0.8, 0.9, 0.8]), _cases([0.8, 0.9, 0.8, 0.9])
    subjects = {"c0": "a", "c1": "a", "c2": "b", "c3": "b"}
    found = compare(ours, others, ("bone",), DICE, subjects)["bone"]["dice"]
    assert found.subjects == 2
    assert found.difference == pytest.approx(0)
    assert found.low == pytest.approx(0)


def test_no_difference_has_no_p() -> None:
    same = compare(_cases([0.5, 0.6]), _cases([0.5, 0.6]), ("bone",), DICE, {})["bone"]["dice"]
    assert (same.p, same.p_holm, same.difference) == (None, None, 0)
    assert signed_rank_p([]) is None
    assert compare({}, {}, ("bone",), DICE, {}) == {"bone": {}}


def test_holm_by_hand() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": None})
    assert found == {"a": pytest.approx(0.03), "b": pytest.approx(0.06), "c": pytest.approx(0.06), "d": None}
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_of_differences_the_size_is_compared() -> None:
    ours = {"a": {"bone": {"volume_difference_ml": -1.0, "reference_ml": 5.0}}}
    others = {"a": {"bone": {"volume_difference_ml": 0.5, "reference_ml": 5.0}}}
    names = ("volume_difference_ml", "reference_ml")
    found = compare(ours, others, ("bone",), {name: OVERLAP[name] for name in names}, {})["bone"]
    assert list(found) == ["volume_difference_ml"]
    assert found["volume_difference_ml"].difference == pytest.approx(0.5)
