from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

from kneecascade.evaluation.agreement import agreements, paired
from kneecascade.evaluation.pictures import agreement_png, box_plots_png

CASES = {
    "a": {"bone": {"reference_ml": 10.0, "predicted_ml": 11.0}},
    "b": {"bone": {"reference_ml": 12.0, "predicted_ml": 11.5}},
    "c": {"bone": {"reference_ml": 8.0, "predicted_ml": 9.5}},
    "missed": {"bone": {"reference_ml": 8.0, "predicted_ml": 0.0}},
}


def test_bias_and_limits_by_hand() -> None:
    found = agreements(CASES, ("bone",), {})["bone"]["volume_ml"]
    differences = np.array([1.0, -0.5, 1.5])
    assert found.n == 3
    assert found.bias == pytest.approx(differences.mean())
    assert found.sd == pytest.approx(differences.std(ddof=1))
    assert found.upper_limit == pytest.approx(differences.mean() + 1.96 * differences.std(ddof=1))
    assert found.lower_limit == pytest.approx(differences.mean() - 1.96 * differences.std(ddof=1))
    assert list(paired(CASES, "bone", "volume_ml")) == ["a", "b", "c"]


def test_thickness_is_there_where_it_was_measured() -> None:
    assert list(agreements(CASES, ("bone",), {})["bone"]) == ["volume_ml"]
    sheet = {"a": {"s": {**CASES["a"]["bone"], "reference_thickness_mm": 2.0, "predicted_thickness_mm": 2.5}}}
    found = agreements(sheet, ("s",), {})["s"]
    assert found["thickness_mm"].bias == pytest.approx(0.5)
    assert found["thickness_mm"].sd is found["thickness_mm"].upper_limit is None
    assert agreements({}, ("s",), {})["s"]["volume_ml"].n == 0


def test_pictures_show_something(tmp_path: Path) -> None:
    agreement = {"bone": agreements(CASES, ("bone",), {})["bone"]["volume_ml"]}
    pairs = {"bone": paired(CASES, "bone", "volume_ml")}
    agreement_png(tmp_path / "deep" / "agreement.png", pairs, agreement, "ml")
    boxes = {"dice": {"bone": [0.9, 0.8, 0.95], "none": []}, "hd_mm": {"bone": [3.0], "none": []}}
    box_plots_png(tmp_path / "boxes.png", boxes, {"dice": "Dice", "hd_mm": "Hausdorff distance mm"})
    for path in (tmp_path / "deep" / "agreement.png", tmp_path / "boxes.png"):
        picture = imread(path)
        assert min(picture.shape[:2]) > 300
        blue = (picture[..., 2].astype(int) - picture[..., 0] > 60).sum()
        assert blue > 20, path.name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["boxes.png", "deep"]
