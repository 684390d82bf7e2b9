"""kneecascade.workspace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kneecascade.errors import DatasetError
from kneecascade.workspace import find_workspace, one_thread_each


def test_the_argument_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KC_WORKSPACE", "from_environment")
    monkeypatch.setenv("KC_RAW", "other_raw")
    assert find_workspace("given").raw == Path("given/raw")
    found = find_workspace()
    assert found.raw == Path("other_raw")
    assert found.preprocessed == Path("from_environment/preprocessed")


def test_nothing_is_compulsory() -> None:
    assert find_workspace().results == Path("kc_workspace/results")


@pytest.mark.parametrize("text", ["7", "007", "Dataset007_Knee"])
def test_a_data_set_is_found_by_number_or_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "raw" / "Dataset007_Knee").mkdir(parents=True)
    (tmp_path / "raw" / "Dataset070_Hip").mkdir()
    assert find_workspace(str(tmp_path)).dataset_folder(text) == tmp_path / "raw" / "Dataset007_Knee"


def test_what_is_missing_or_ambiguous_is_listed(tmp_path: Path) -> None:
    for name in ("Dataset001_Knee", "Dataset001_Hip"):
        (tmp_path / "raw" / name).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"several data sets fit.*Dataset001_Hip, Dataset001_Knee"):
        find_workspace(str(tmp_path)).dataset_name("1")
    with pytest.raises(DatasetError, match=r"no such data set.*there: Dataset001_Hip"):
        find_workspace(str(tmp_path)).dataset_name("2")


def test_one_thread_each_restores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("BLOSC_NTHREADS", raising=False)
    with one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["BLOSC_NTHREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "BLOSC_NTHREADS" not in os.environ
