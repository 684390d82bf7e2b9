"""Changes between visits."""

from __future__ import annotations

import pytest

from kneecascade.biomarkers.longitudinal import Visit, changes, natural, scan_rescan_cv
from kneecascade.biomarkers.table import Row

VOLUME = ("femoral_cartilage", "whole", "volume")


def row(case: str, value: float | None) -> Row:
    return Row(case, *VOLUME, value, "ml", "voxels counted")


def test_visits_are_compared_with_the_first() -> None:
    visits = [Visit("b", "p", "12m"), Visit("a", "p", "9m"), Visit("c", "q", "0m")]
    found = changes([row("a", 10.0), row("b", 9.0), row("c", 5.0)], visits)
    assert [(c.subject, c.first_visit, c.visit, c.percent) for c in found] == [("p", "9m", "12m", -10.0)]
    assert found[0].smallest_percent == pytest.approx(1.96 * 2**0.5 * 8)
    assert found[0].source.startswith("published")


def test_other_sides_are_other_knees_and_missing_values_no_change() -> None:
    visits = [Visit("a", "p", "0", "left"), Visit("b", "p", "1", "right")]
    assert changes([row("a", 1.0), row("b", 2.0)], visits) == []
    visits = [Visit("a", "p", "0"), Visit("b", "p", "1")]
    assert changes([row("a", 1.0), row("b", None)], visits) == []


def test_noise_comes_from_declared_pairs_only() -> None:
    visits = [Visit(f"{k}{s}", f"p{k}", "0", scan_rescan="r") for k in range(3) for s in "ab"]
    rows = [row(f"{k}a", 10.0) for k in range(3)] + [row(f"{k}b", 10.2) for k in range(3)]
    cv, pairs = scan_rescan_cv(rows, visits)[(*VOLUME, "voxels counted")]
    assert pairs == 3
    assert cv == pytest.approx(100 * (0.2 / 2**0.5) / 10.1)
    assert scan_rescan_cv(rows, [Visit(v.case, v.subject, v.visit) for v in visits]) == {}
    later = [*visits, Visit("late", "p0", "1")]
    change = changes([*rows, row("late", 5.0)], later)[0]
    assert change.source == "3 scan-rescan pairs"
    assert change.smallest_percent == pytest.approx(1.96 * 2**0.5 * cv)
    assert change.first == pytest.approx(10.1)


def test_visits_are_ordered_by_their_numbers() -> None:
    assert sorted(["12m", "9m", "00m", "96m"], key=natural) == ["00m", "9m", "12m", "96m"]
