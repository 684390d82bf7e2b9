"""kneecascade.planning.examine."""

from __future__ import annotations

from pathlib import Path

import pytest
from raw_folder import write_raw

from kneecascade.core.dataset import Dataset
from kneecascade.imaging import files
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.examine import examine_dataset
from kneecascade.planning.fingerprint import case_fingerprint, hash_cases
from kneecascade.planning.integrity import check_dataset


@pytest.fixture
def raw(tmp_path: Path) -> Dataset:
    return read_dataset(write_raw(tmp_path / "Dataset001_Knee", cases=2))


def test_the_numbers_are_those_of_a_reading_of_its_own(raw: Dataset) -> None:
    hashes = hash_cases(raw)
    problems, found = examine_dataset(raw, hashes)
    assert problems == []
    assert found is not None
    pairs = zip(raw.training, hashes, strict=True)
    assert found.cases == tuple(case_fingerprint(case, raw.labels, hashed) for case, hashed in pairs)


def test_every_file_is_read_once(raw: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    plain = files._read
    monkeypatch.setattr(files, "_read", lambda path, kind: read.append(path) or plain(path, kind))  # type: ignore[func-returns-value]
    examine_dataset(raw, hash_cases(raw))
    assert len(read) == len(set(read)) == 4


def test_one_problem_leaves_no_numbers(raw: Dataset) -> None:
    label = raw.training[1].label
    assert label is not None
    label.write_bytes(label.read_bytes()[:-20])
    problems, found = examine_dataset(raw, hash_cases(raw), 2)
    assert found is None
    assert problems == check_dataset(raw)
    assert [p.case for p in problems] == [raw.training[1].name]
