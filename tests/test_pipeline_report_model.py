"""What a report says about its model."""

from __future__ import annotations

from pathlib import Path

import pytest

from kneecascade.errors import InputError
from kneecascade.files import write_json
from kneecascade.pipeline.report_measures import read_measures
from kneecascade.pipeline.report_model import model_record


def summary(mean: float | None, n: int) -> dict:
    part = {"mean": mean, "sd": None, "n": n}
    return {"dice": {"femur": {"coarse": part, "cascade": part}}, "selection": "selected nothing"}


def test_means_of_folds_count_their_cases(tmp_path: Path) -> None:
    write_json(tmp_path / "fold_0" / "validation" / "summary.json", summary(0.8, 3))
    write_json(tmp_path / "fold_1" / "validation" / "summary.json", summary(0.6, 1))
    write_json(tmp_path / "fold_2" / "validation" / "summary.json", summary(None, 0))
    model = {"folder": str(tmp_path), "folds": ["fold_0", "fold_1", "fold_2", "fold_3"], "dataset": "D"}
    record = model_record({"model": model})
    assert record["validation"] == [
        {"label": "femur", "coarse": pytest.approx(0.75), "cascade": pytest.approx(0.75), "n": 4}
    ]
    assert record["selection"] == "Dice on held-out cases (selected nothing)."


def test_a_model_without_scores() -> None:
    assert model_record({})["validation"] == []
    assert "licence" not in model_record({})["text"]


def test_the_licence_of_the_training_data_is_told() -> None:
    assert model_record({"data_licence": "CC BY"})["text"].endswith("licence of the training data: CC BY")


def test_a_folder_that_must_have_biomarkers(tmp_path: Path) -> None:
    assert read_measures(tmp_path, must_exist=False).rows("any") == []
    with pytest.raises(InputError, match="run kc_biomarkers first"):
        read_measures(tmp_path, must_exist=True)
    (tmp_path / "biomarkers.csv").write_text("case,value\na,1\n", "utf-8")
    with pytest.raises(InputError, match="no column structure"):
        read_measures(tmp_path, must_exist=True)
