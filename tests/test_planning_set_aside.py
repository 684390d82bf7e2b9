"""kneecascade.planning.set_aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fingerprints import knees
from raw_folder import write_raw

from kneecascade.errors import DatasetError, SettingsError
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.set_aside import (
    choose_test_set,
    read_test_set,
    without_cases,
    without_measured,
)
from kneecascade.planning.subjects import SubjectRow

NAMES = [f"case{k:02}" for k in range(40)]


@pytest.mark.parametrize(
    ("fraction", "count"), [(0.2, 8), (0.25, 10), (0.1, 4), (0.5, 20), (0.01, 2), (0.8, 32)]
)
def test_about_the_fraction_is_set_aside(fraction: float, count: int) -> None:
    chosen = choose_test_set(NAMES, fraction)
    assert len(chosen) == count
    assert chosen == choose_test_set(NAMES[::-1], fraction)
    assert chosen != choose_test_set(NAMES, fraction, seed=1)
    assert set(chosen) <= set(NAMES)


def test_whole_subjects_are_set_aside() -> None:
    subjects = {name: f"s{k // 4}" for k, name in enumerate(NAMES)}
    rows = {name: SubjectRow(name, subject) for name, subject in subjects.items()}
    chosen = choose_test_set(NAMES, 0.3, rows)
    inside = {subjects[name] for name in chosen}
    assert len(inside) == 3
    assert len(chosen) == 12
    assert not inside & {subjects[name] for name in NAMES if name not in chosen}


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2, 1.5, float("nan")])
def test_unusable_fractions(fraction: float) -> None:
    with pytest.raises(SettingsError, match="must be above 0 and under 1"):
        choose_test_set(NAMES, fraction)


def test_two_subjects_must_be_left() -> None:
    with pytest.raises(SettingsError, match="too few of 2 subjects"):
        choose_test_set(NAMES, 0.2, {name: SubjectRow(name, f"s{k % 2}") for k, name in enumerate(NAMES)})
    with pytest.raises(SettingsError, match="too few of 40 subjects"):
        choose_test_set(NAMES, 0.99)
    assert len(choose_test_set(NAMES[:3], 0.2)) == 1


def test_the_users_own_file(tmp_path: Path) -> None:
    file = tmp_path / "test.json"
    assert read_test_set(file, NAMES) == ()
    file.write_text(json.dumps({"test": ["case07", "case01"], "why": "official"}))
    assert read_test_set(file, NAMES) == ("case01", "case07")
    for content, message in (
        (["case01"], "expected"),
        ({"test": "case01"}, "expected"),
        ({"test": [1]}, "expected"),
        ({"test": ["other"]}, "other is no training case"),
        ({"test": ["case01", "case01"]}, "case01 is there twice"),
        ({"test": NAMES[1:]}, "leaves fewer than 2 cases"),
    ):
        file.write_text(json.dumps(content))
        with pytest.raises(DatasetError, match=message):
            read_test_set(file, NAMES)


def test_what_is_set_aside_is_gone(tmp_path: Path) -> None:
    dataset = without_cases(read_dataset(write_raw(tmp_path / "Dataset001_Knee", cases=3)), ("case1",))
    assert [case.name for case in dataset.training] == ["case0", "case2"]
    fingerprint = knees((40, 40, 40), (1.0, 1.0, 1.0), cases=3)
    assert [case.name for case in without_measured(fingerprint, {"k00"}).cases] == ["k01", "k02"]
