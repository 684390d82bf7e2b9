from __future__ import annotations

from pathlib import Path

import pytest

from kneecascade.errors import DatasetError, SettingsError
from kneecascade.pipeline.cohort import find_rows, groups_of, repeated_scans, subjects_of
from kneecascade.planning.subjects import SubjectRow

ROWS = {
    "a": SubjectRow("a", "p", "left", grade="2", visit="0", scan_rescan="k1"),
    "b": SubjectRow("b", "p", "left", grade="2", visit="0", scan_rescan="k1"),
    "c": SubjectRow("c", "q", "right", grade="4"),
}


def test_rows_are_found_beside_the_labels(tmp_path: Path) -> None:
    assert find_rows(tmp_path / "labelsTr") == {}
    (tmp_path / "subjects.csv").write_text("case,subject,scan_rescan\na,p,k1\n")
    rows = find_rows(tmp_path / "labelsTr")
    assert rows["a"].scan_rescan == "k1"
    assert subjects_of(rows) == {"a": "p"}
    with pytest.raises(DatasetError, match="no such file"):
        find_rows(tmp_path, tmp_path / "none.csv")


def test_groups() -> None:
    found = groups_of(["a", "b", "c", "d"], ROWS)
    assert found == {
        "grade": {"2": ["a", "b"], "4": ["c"], "unknown": ["d"]},
        "side": {"left": ["a", "b"], "right": ["c"], "unknown": ["d"]},
    }
    assert groups_of(["a", "b"], ROWS) == {}
    assert groups_of(["a", "b"], ROWS, ["visit"]) == {"visit": {"0": ["a", "b"]}}


@pytest.mark.parametrize(
    ("rows", "column", "message"), [({}, "side", "needs a subjects.csv"), (ROWS, "age", "choose among")]
)
def test_wrong_columns(rows: dict[str, SubjectRow], column: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        groups_of([], rows, [column])


def test_repeated_scans_are_those_declared() -> None:
    assert repeated_scans(ROWS, ["a", "b", "c"]) == {"k1": ["a", "b"]}
    with pytest.raises(DatasetError, match="no repeated scans"):
        repeated_scans(ROWS, ["a", "c"])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (SubjectRow("b", "q", "left", visit="0", scan_rescan="k1"), "of subject p and q"),
        (SubjectRow("b", "p", "right", visit="0", scan_rescan="k1"), "of side left and right"),
        (SubjectRow("b", "p", "left", visit="96", scan_rescan="k1"), "of visit 0 and 96"),
    ],
)
def test_visits_are_no_repeated_scans(other: SubjectRow, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        repeated_scans({**ROWS, "b": other}, ["a", "b"])
