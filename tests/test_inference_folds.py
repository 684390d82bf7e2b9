from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plans import tiny_plan
from tiny_models import save_grey_model

from kneecascade.errors import CheckpointError
from kneecascade.inference.folds import fold_folders, is_trained, one_plan, trained_folds, weights_file


def test_trained_folds_are_found_in_order(tmp_path: Path) -> None:
    save_grey_model(tmp_path, folds=(10, 0, 2))
    (tmp_path / "fold_1" / "coarse").mkdir(parents=True)
    (tmp_path / "fold_all").mkdir()
    assert list(fold_folders(tmp_path)) == [0, 1, 2, 10]
    assert [p.name for p in trained_folds(tmp_path)] == ["fold_0", "fold_2", "fold_10"]
    assert [p.name for p in trained_folds(tmp_path, [2])] == ["fold_2"]


def test_a_fold_without_its_fine_stage_is_not_trained(tmp_path: Path) -> None:
    save_grey_model(tmp_path, folds=(0, 1))
    weights_file(tmp_path / "fold_1", "fine").unlink()
    assert not is_trained(tmp_path / "fold_1")
    assert [p.name for p in trained_folds(tmp_path)] == ["fold_0"]
    with pytest.raises(
        CheckpointError, match="not trained: fold 1; there: fold 0: trained; fold 1: fine not"
    ):
        trained_folds(tmp_path, [0, 1])


def test_an_empty_folder_has_no_folds(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no trained fold; there: no folds"):
        trained_folds(tmp_path)


def test_an_ensemble_takes_the_largest_margin() -> None:
    plans = {"fold_0": tiny_plan(margin_mm=3.0), "fold_1": tiny_plan(margin_mm=7.0)}
    assert one_plan(plans).region.margin_mm == 7.0


def test_folds_of_different_grids_are_refused() -> None:
    plan = tiny_plan()
    other = replace(plan, fine=replace(plan.fine, spacing_mm=(1.0, 1.0, 0.5)))
    with pytest.raises(CheckpointError, match=r"fold_1 .* fine spacing \(1\.0, 1\.0, 0\.5\)"):
        one_plan({"fold_0": plan, "fold_1": other})
