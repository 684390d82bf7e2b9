"""Whatever stands in a file, its reader takes it or says in one line why not."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from plans import tiny_plan
from raw_folder import LABELS

from kneecascade.core.record import to_plain
from kneecascade.errors import KneecascadeError
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_splits, read_subjects
from kneecascade.planning.plan_file import read_plan

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
leaves = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8)
anything = some.recursive(
    leaves,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SOUND = {"channel_names": {"0": "MRI"}, "labels": LABELS, "file_ending": ".nii.gz", "numTraining": 3}


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the way to every value inside JSON."""
    keys = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list | tuple) else ()
    )
    return [path, *(place for key, value in keys for place in places(value, (*path, key)))]


def changed(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Returns a copy with another value at one place."""
    if not place:
        return value
    copy = json.loads(json.dumps(data))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copy


def tried(read: Any) -> None:
    """Runs a reader; only the errors a user can mend may come, each in one line."""
    told = ""
    try:
        read()
    except KneecascadeError as error:
        told = str(error)
        empty = not told.strip()
    else:
        empty = False
    assert not empty
    assert "\n" not in told


@quick
@given(place=some.sampled_from(places(SOUND)), value=anything)
def test_dataset_json(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    (tmp_path / "Dataset001_Fuzz").mkdir(exist_ok=True)
    (tmp_path / "Dataset001_Fuzz" / "dataset.json").write_text(
        json.dumps(changed(SOUND, place, value)), "utf-8"
    )
    tried(lambda: read_dataset(tmp_path / "Dataset001_Fuzz"))


PLAN = json.loads(json.dumps(to_plain(tiny_plan())))


@quick
@given(place=some.sampled_from(places(PLAN)), value=anything)
def test_plan_json(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(changed(PLAN, place, value)), "utf-8")
    tried(lambda: read_plan(tmp_path / "plan.json"))


@quick
@given(value=anything)
def test_splits_json(tmp_path: Path, value: Any) -> None:
    (tmp_path / "splits.json").write_text(json.dumps(value), "utf-8")
    tried(lambda: read_splits(tmp_path / "splits.json", ["a", "b"]))
    (tmp_path / "splits.json").write_text(json.dumps([{"train": value, "val": ["a"]}]), "utf-8")
    tried(lambda: read_splits(tmp_path / "splits.json", ["a", "b"]))


@quick
@given(
    data=some.binary(max_size=60)
    | some.text(max_size=60).map(lambda text: ("case,subject\n" + text).encode())
)
def test_subjects_csv(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "subjects.csv").write_bytes(data)
    tried(lambda: read_subjects(tmp_path, ["a", "b"]))


@quick
@given(at=some.integers(0, 400), byte=some.integers(0, 255), length=some.integers(0, 400))
def test_checkpoints(tmp_path: Path, at: int, byte: int, length: int) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(path, {"a": torch.arange(12.0), "b": torch.ones(2, 3)}, {"stage": "fine"})
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    path.write_bytes(bytes(data[: max(1, len(data) - length)]))
    tried(lambda: load_weights(path))


def test_the_sound_ones_are_read(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN), "utf-8")
    assert read_plan(tmp_path / "plan.json") == tiny_plan()
    with (tmp_path / "subjects.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("case", "subject"), ("a", "x"), ("b", "y")])
    rows = read_subjects(tmp_path, ["a", "b"])
    assert rows is not None
    assert {name: row.subject for name, row in rows.items()} == {"a": "x", "b": "y"}
    with pytest.raises(KneecascadeError):
        read_dataset(tmp_path)
