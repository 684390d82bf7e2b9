"""kneecascade.planning.folds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from kneecascade.errors import DatasetError, InputError
from kneecascade.planning.folds import make_splits, read_or_make_splits, read_splits, read_subjects
from kneecascade.planning.subjects import SubjectRow

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
    splits = make_splits(NAMES, subjects={name: SubjectRow(name, s) for name, s in subjects.items()})
    for split in splits:
        held_out = {subjects.get(name, name) for name in split["val"]}
        assert not held_out & {subjects.get(name, name) for name in split["train"]}
    assert max(len(s["val"]) for s in splits) - min(len(s["val"]) for s in splits) <= 1


def spread(splits: list[dict], trait: dict[str, str]) -> int:
    """Returns the largest difference between folds in how many held-out cases have a trait."""
    values = set(trait.values())
    counts = {value: [sum(trait[n] == value for n in split["val"]) for split in splits] for value in values}
    return max(max(count) - min(count) for count in counts.values())


@pytest.mark.parametrize("visits", [1, 2])
def test_grades_and_sites_are_spread_evenly(visits: int) -> None:
    draw = random.Random(3)
    people = [f"p{k:03}" for k in range(150)]
    grade = {person: draw.choices("01234", (5, 3, 4, 4, 2))[0] for person in people}
    site = {person: draw.choices("ABC", (6, 2, 1))[0] for person in people}
    names = {f"{person}_v{k}": person for person in people for k in range(visits)}
    rows = {n: SubjectRow(n, p, site=site[p], grade=grade[p]) for n, p in names.items()}
    by_name = [{n: trait[p] for n, p in names.items()} for trait in (grade, site)]
    splits = make_splits(list(names), subjects=rows)
    assert max(spread(splits, trait) for trait in by_name) <= 2 * visits
    blind = make_splits(list(names), subjects={n: SubjectRow(n, p) for n, p in names.items()})
    assert max(spread(blind, trait) for trait in by_name) > 4 * visits
    for split in splits:
        assert not {names[n] for n in split["val"]} & {names[n] for n in split["train"]}
        assert len(split["val"]) == 30 * visits


def test_few_people_of_a_grade_go_to_different_folds() -> None:
    # dealt in turn alone, three of the folds had no case of some grade
    draw = random.Random(7)
    rows = {}
    for k in range(20):
        grade, site = draw.choice("012"), draw.choice("AB")
        for name in (f"p{k:02}_v{visit}" for visit in range(draw.choice((1, 2)))):
            rows[name] = SubjectRow(name, f"p{k:02}", site=site, grade=grade)
    splits = make_splits(list(rows), subjects=rows)
    assert spread(splits, {name: row.grade for name, row in rows.items()}) == 1
    assert all({rows[name].grade for name in split["val"]} == {"0", "1", "2"} for split in splits)


def test_grades_of_a_few_cases_only(tmp_path: Path) -> None:
    rows = {name: SubjectRow(name, name, grade="4" if k < 5 else "") for k, name in enumerate(NAMES)}
    splits = make_splits(NAMES, subjects=rows)
    assert [sum(name < "case05" for name in split["val"]) for split in splits] == [1] * 5
    assert sorted(len(split["val"]) for split in splits) == [4, 4, 5, 5, 5]


def test_a_subject_on_both_sides_of_a_fold_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "splits.json"
    file.write_text(json.dumps([{"train": NAMES[:15], "val": NAMES[15:]}]))
    rows = {name: SubjectRow(name, f"p{k // 2}") for k, name in enumerate(NAMES)}
    read_or_make_splits(file, NAMES, rows)
    err = " ".join(capsys.readouterr().err.split())
    assert "fold 0 trains on and validates scans of 1 subjects, the first is p7" in err
    read_or_make_splits(file, NAMES, {name: SubjectRow(name, name) for name in NAMES})
    assert capsys.readouterr().err == ""


def test_the_data_sets_own_split_is_taken_once(tmp_path: Path) -> None:
    file, official = tmp_path / "preprocessed/splits.json", tmp_path / "raw/splits.json"
    official.parent.mkdir()
    own = [{"train": NAMES[:15], "val": NAMES[15:]}]
    official.write_text(json.dumps(own))
    assert read_or_make_splits(file, NAMES, None, official) == own
    official.write_text("broken")
    assert read_or_make_splits(file, NAMES, None, official) == own
    file.unlink()
    with pytest.raises(InputError, match="not valid JSON"):
        read_or_make_splits(file, NAMES, None, official)
    official.unlink()
    assert len(read_or_make_splits(file, NAMES, None, official)) == 5


@pytest.mark.parametrize(("cases", "folds"), [(2, 2), (3, 3), (5, 5), (6, 5)])
def test_few_cases_make_fewer_folds(cases: int, folds: int) -> None:
    assert len(make_splits(NAMES[:cases])) == folds


def test_one_subject_cannot_be_split() -> None:
    with pytest.raises(DatasetError, match="1 training subject"):
        make_splits(NAMES, subjects={name: SubjectRow(name, "s") for name in NAMES})


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
    rows = read_subjects(tmp_path, NAMES[:2])
    assert rows == {"case00": SubjectRow("case00", "s0"), "case01": SubjectRow("case01", "s1")}
    with pytest.raises(DatasetError, match="no subject for 1 training cases, the first is new"):
        read_subjects(tmp_path, ["new"])
    file.write_text("case,person\na,b\n")
    with pytest.raises(DatasetError, match="needs the columns case,subject"):
        read_subjects(tmp_path, NAMES)
