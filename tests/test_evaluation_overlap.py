from __future__ import annotations

import numpy as np
import pytest

from kneecascade.core.labels import Labels
from kneecascade.evaluation.overlap import dice_per_label, label_volumes_ml, overlap_per_label

LABELS = Labels(("background", "bone", "cartilage"), (0, 3, 7))


def _array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int16).reshape(1, 1, -1)


def test_dice_and_iou_by_hand() -> None:
    scores = overlap_per_label(_array(3, 3, 3, 0, 7), _array(3, 3, 0, 3, 7), LABELS, voxel_mm3=500.0)
    assert scores["bone"].dice == pytest.approx(2 * 2 / 6)
    assert scores["bone"].iou == pytest.approx(2 / 4)
    assert scores["bone"].reference_ml == pytest.approx(1.5)
    assert scores["cartilage"].dice == scores["cartilage"].iou == 1


@pytest.mark.parametrize(
    ("reference", "predicted", "dice"),
    [((3, 0), (0, 3), 0.0), ((3, 0), (0, 0), 0.0), ((0, 0), (0, 3), 0.0), ((0, 0), (0, 0), None)],
)
def test_empty_labels(reference: tuple[int, ...], predicted: tuple[int, ...], dice: float | None) -> None:
    score = overlap_per_label(_array(*reference), _array(*predicted), LABELS)["bone"]
    assert score.dice == dice
    assert score.iou == dice


def test_values_outside_the_labels_are_ignored() -> None:
    assert dice_per_label(_array(3, 9), _array(3, 8), LABELS) == {"bone": 1.0, "cartilage": None}


def test_shapes_must_match() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        overlap_per_label(_array(1), _array(1, 1), LABELS)


def test_volumes() -> None:
    assert label_volumes_ml(_array(7, 7, 3), LABELS, 100.0) == pytest.approx({"bone": 0.1, "cartilage": 0.2})
