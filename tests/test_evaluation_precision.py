from __future__ import annotations

import numpy as np
import pytest
from plans import tiny_geometry
from shapes import block

from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.evaluation.precision import label_sizes, precision, precision_of_labels

LABELS = Labels(("background", "bone", "cartilage"), (0, 1, 2))


def test_pairs_by_hand() -> None:
    found = precision([[10.0, 12.0], [20.0, 20.0], [5.0]])
    assert found is not None
    assert (found.knees, found.scans) == (2, 4)
    assert found.rms_sd == pytest.approx(np.sqrt(2 / 2))  # standard deviations sqrt(2) and 0
    assert found.rms_cv_percent == pytest.approx(100 * np.sqrt((2 / 11**2) / 2))
    assert found.smallest_detectable_change == pytest.approx(1.96 * np.sqrt(2))


def test_the_estimate_finds_the_error_that_was_put_in() -> None:
    generator = np.random.default_rng(0)
    true = generator.uniform(5, 15, 400)
    knees = [list(value + generator.normal(0, 0.3, 2 + k % 2)) for k, value in enumerate(true)]
    found = precision(knees)
    assert found is not None
    assert found.rms_sd == pytest.approx(0.3, rel=0.07)


def test_nothing_repeated() -> None:
    assert precision([]) is None
    assert precision([[1.0], [2.0]]) is None
    assert precision([[0.0, 0.0]]) is None


def test_sizes_of_labels() -> None:
    array = np.zeros((20, 40, 40), dtype=np.int16)
    array[block(array.shape, (5, 0, 0), (8, 40, 40))] = 2
    sizes = label_sizes(
        LabelVolume(array, tiny_geometry(array.shape, (0.5, 1.0, 1.0))), LABELS, ("cartilage",)
    )  # type: ignore[arg-type]
    assert sizes["bone"] == {"volume_ml": None}
    assert sizes["cartilage"]["volume_ml"] == pytest.approx(3 * 0.5 * 1600 / 1000)
    assert sizes["cartilage"]["thickness_mm"] == pytest.approx(1.5, rel=0.1)


def test_a_scan_without_the_label_is_left_out() -> None:
    sizes = {
        "a": {"bone": {"volume_ml": 10.0}},
        "b": {"bone": {"volume_ml": 11.0}},
        "c": {"bone": {"volume_ml": None}},
    }
    found = precision_of_labels(sizes, [["a", "b", "c"]], ("bone",))
    assert found["bone"]["volume_ml"].scans == 2
    assert list(found["bone"]) == ["volume_ml"]
    assert precision_of_labels(sizes, [["a", "c"]], ("bone",)) == {}
