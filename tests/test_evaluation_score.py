from __future__ import annotations

import numpy as np
import pytest
from plans import tiny_geometry
from shapes import block, places_mm, radius_mm, slab

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.evaluation.measures import (
    THICKNESS,
    MeasureSettings,
    all_measures,
    cartilage_labels,
    surface_dice_name,
)
from kneecascade.evaluation.score import score_case, score_masks

LABELS = Labels(("background", "bone", "bone cartilage"), (0, 1, 2))
SHEETS = MeasureSettings(cartilage=("bone cartilage",))
SHAPE = (20, 22, 24)


def _sheet(a: np.ndarray, b: np.ndarray) -> dict[str, float | None]:
    return score_masks(a, b, (1.0, 1.0, 1.0), SHEETS.tolerances_mm, sheet=True)


def test_names() -> None:
    assert surface_dice_name(0.5) == "nsd_0.5mm"
    assert surface_dice_name(1.0) == "nsd_1mm"
    assert cartilage_labels(LABELS) == ("bone cartilage",)
    assert not set(THICKNESS) & set(all_measures(MeasureSettings()))


def test_every_measure_is_there_in_order() -> None:
    a = block(SHAPE, (4, 4, 4), (9, 9, 9))
    assert list(_sheet(a, a)) == list(all_measures(SHEETS))
    assert list(_sheet(a & False, a & False)) == list(all_measures(SHEETS))


def test_one_or_both_empty() -> None:
    a = block(SHAPE, (4, 4, 4), (9, 9, 9))
    both = _sheet(a & False, a & False)
    assert {name for name, value in both.items() if value is not None} == {
        "reference_ml",
        "predicted_ml",
        "volume_difference_ml",
    }
    missed, made_up = _sheet(a, a & False), _sheet(a & False, a)
    for scores in (missed, made_up):
        assert (scores["dice"], scores["voe"], scores["nsd_1mm"]) == (0, 1, 0)
        assert scores["assd_mm"] is scores["hd_mm"] is scores["thickness_difference_mm"] is None
    assert missed["volume_difference_percent"] == -100
    assert made_up["volume_difference_percent"] is None


def test_thickness_of_a_sheet_is_exact_but_for_its_rim() -> None:
    sheet = block((20, 60, 60), (8, 0, 0), (11, 60, 60))
    thicker = block((20, 60, 60), (8, 0, 0), (12, 60, 60))
    roi = slab((20, 60, 60), 1, 10, 50) & slab((20, 60, 60), 2, 10, 50)
    whole, inside = (score_masks(sheet, thicker, (0.7, 1.0, 1.0), (1.0,), True, r) for r in (None, roi))
    assert 1.9 < whole["reference_thickness_mm"] < 2.1  # type: ignore[operator]
    # one element more than voxels along each edge
    assert inside["reference_thickness_mm"] == pytest.approx(2.1 * (40 / 41) ** 2, rel=1e-5)
    assert inside["thickness_difference_mm"] == pytest.approx(0.7 * (40 / 41) ** 2, rel=1e-5)
    assert inside["volume_difference_ml"] == pytest.approx(0.7 * 40 * 40 / 1000)


@pytest.mark.parametrize("spacing", [(0.7, 0.36, 0.36), (1.5, 0.5, 0.5)])
def test_thickness_of_a_shell_is_low_alike_in_both(spacing: Float3) -> None:
    shape = tuple(int(30 / mm) for mm in spacing)
    radius = radius_mm(shape, spacing)  # type: ignore[arg-type]
    scores = score_masks((radius > 11) & (radius < 13), (radius > 11) & (radius < 13.5), spacing, (), True)
    assert 1.7 < scores["reference_thickness_mm"] < 2.0  # type: ignore[operator]
    assert scores["thickness_difference_mm"] == pytest.approx(0.5, rel=0.15)


def test_an_oblique_grid_gives_the_same_numbers() -> None:
    labels = np.where(block(SHAPE, (4, 4, 4), (12, 12, 12)), 1, 0).astype(np.int16)
    guess = np.roll(labels, 2, axis=1)
    spacing = (0.7, 0.4, 0.4)
    straight = score_case(LabelVolume(labels, tiny_geometry(SHAPE, spacing)), guess, LABELS)
    oblique = score_case(LabelVolume(labels, tiny_geometry(SHAPE, spacing, (10, 20, 30))), guess, LABELS)
    assert straight == oblique
    assert straight["bone"]["hd_mm"] == pytest.approx(0.8)


def test_a_turned_ball_pair_keeps_its_distance() -> None:
    spacing: Float3 = (0.8, 0.5, 0.5)
    shape = (50, 60, 60)
    gaps = []
    for degrees in (0.0, 25.0):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        places = places_mm(shape, spacing, np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]))
        a = np.linalg.norm(places, axis=-1) < 8
        b = np.linalg.norm(places - (2.0, 0, 0), axis=-1) < 8
        gaps.append(score_masks(a, b, spacing, ())["hd_mm"])
    assert gaps == pytest.approx([2.0, 2.0], abs=0.5)


def test_only_cartilage_is_cut_to_the_region_of_interest() -> None:
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[4:8, 4:18, 4:18], labels[8:10, 4:18, 4:18] = 1, 2
    guess = labels.copy()
    guess[4:10, 4:8] = 0
    roi = slab(SHAPE, 1, 10, 22)
    reference = LabelVolume(labels, tiny_geometry(SHAPE))
    scores = score_case(reference, guess, LABELS, SHEETS, roi)
    assert scores["bone cartilage"]["dice"] == 1
    assert scores["bone"]["dice"] < 1  # type: ignore[operator]
    assert not set(THICKNESS) & set(scores["bone"])
    nothing = score_case(reference, guess, LABELS, SHEETS, roi & False)["bone cartilage"]
    assert nothing["dice"] is nothing["assd_mm"] is nothing["nsd_1mm"] is None


def test_values_outside_the_labels_and_other_shapes() -> None:
    labels = np.full(SHAPE, 9, dtype=np.int16)
    scores = score_case(LabelVolume(labels, tiny_geometry(SHAPE)), labels, LABELS)
    assert scores["bone"]["dice"] is None
    with pytest.raises(ValueError, match="shapes differ"):
        score_case(LabelVolume(labels, tiny_geometry(SHAPE)), labels[1:], LABELS)
