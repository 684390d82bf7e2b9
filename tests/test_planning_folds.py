"""kneecascade.planning.folds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kneecascade.errors import DatasetError
from kneecascade.planning.folds import make_splits, read_or_make_splits, read_splits, read_subjects

NAMES = [f"case{k:02}" for k in range(23)]


def test_every_case_is_held_out_once() -> None:
    splits = make_splits(NAMES)
    assert sorted(name for split in splits for name in split["val"]) == NAMES
    assert sorted(len(split["val"]) for split in splits) == [4, 4, 5, 5, 5]
    for split in splits:
        assert sorted(split["train"] + split["val"]) == NAMES


def test_the_seed_decides_the_folds_not_the_order_of_the_names() -> None:
    assert make_splits(NAMES) == make_splits(NAMES[::-1])
    assert make_splits(NAMES) != make_splits(NAMES, seed=1)


def test_cases_of_a_subject_stay_together() -> None:
    subjects = {name: f"s{k // 2}" for k, name in enumerate(NAMES[:20])}
    splits = make_splits(NAMES, subjects=subjects)
    for split in splits:
        held_out = {subjects.get(name, name) for name in split["val"]}
        assert not held_out & {subjects.get(name, name) for name in split["train"]}
    assert max(len(s["val"]) for s in splits) - min(len(s["val"]) for s in splits) <= 1


@pytest.mark.parametrize(("cases", "folds"), [(2, 2), (3, 3), (5, 5), (6, 5)])
def test_few_cases_make_fewer_folds(cases: int, folds: int) -> None:
    assert len(make_splits(NAMES[:cases])) == folds


def test_one_subject_cannot_be_split() -> None:
    with pytest.raises(DatasetError, match="1 training subject"):
        make_splits(NAMES, subjects=dict.fromkeys(NAMES, "s"))


def test_made_once_then_read(tmp_path: Path) -> None:
    file = tmp_path / "splits.json"
    made = read_or_make_splits(file, NAMES, None)
    own = made[::-1]
    file.write_text(json.dumps(own))
    assert read_or_make_splits(file, NAMES, None) == own


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected a list"),
        ([{"train": ["case01"]}], "fold 0: needs the lists train and val"),
        ([{"train": ["case01"], "val": []}], "fold 0: train and val must not be empty"),
        ([{"train": ["case01"], "val": ["case01"]}], "fold 0: case01 is in train and in val"),
        ([{"train": ["case01"], "val": ["other"]}], "fold 0: other is no training case"),
        ([{"train": ["case01", "case01"], "val": ["case02"]}], "fold 0: case01 is twice in train"),
        ([{"train": ["case01"], "val": [["case02"]]}], r"fold 0: \['case02'\] is no name of a case"),
        ([{"train": ["case01"], "val": [None]}], "fold 0: None is no name of a case"),
        (["case01"], "fold 0: needs the lists"),
        ({"train": ["case01"]}, "expected a list"),
    ],
)
def test_unusable_splits_are_refused(tmp_path: Path, content: object, message: str) -> None:
    (tmp_path / "splits.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=message):
        read_splits(tmp_path / "splits.json", NAMES)


def test_cases_in_no_fold_are_refused(tmp_path: Path) -> None:
    (tmp_path / "splits.json").write_text(json.dumps([{"train": ["case00"], "val": ["case01"]}]))
    with pytest.raises(DatasetError, match="1 cases are in no fold, the first is case02"):
        read_splits(tmp_path / "splits.json", NAMES[:3])


def test_subjects_are_read(tmp_path: Path) -> None:
    assert read_subjects(tmp_path, NAMES) is None
    file = tmp_path / "subjects.csv"
    file.write_text("subject,case\n" + "\n".join(f"s{k},{name}" for k, name in enumerate(NAMES)))
    assert read_subjects(tmp_path, NAMES[:2]) == {"case00": "s0", "case01": "s1"}
    with pytest.raises(DatasetError, match="no subject for 1 training cases, the first is new"):
        read_subjects(tmp_path, ["new"])
    file.write_text("case,person\na,b\n")
    with pytest.raises(DatasetError, match="needs the columns case,subject"):
        read_subjects(tmp_path, NAMES)
