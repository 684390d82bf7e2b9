from __future__ import annotations

import numpy as np
import pytest
from solid_joints import turned

from kneecascade.biomarkers.frame import find_frame, split_in_two
from kneecascade.biomarkers.inner import fit_circle
from kneecascade.biomarkers.regions import femoral_regions, patellar_regions, tibial_regions

PARTS = ("a", "ec", "cc", "ic", "p")
FIELDS = ("a", "e", "p", "i", "c")


def plateaus(seed: int = 0) -> np.ndarray:
    """Two ellipses, the medial one narrow and deep, at (-22, 0) and (22, 0)."""
    draw = np.random.default_rng(seed)
    flat = draw.uniform(-1, 1, (40000, 2))
    flat = flat[np.hypot(*flat.T) < 1]
    half = len(flat) // 2
    medial, lateral = flat[:half] * (12, 22) - (22, 0), flat[half:] * (15, 18) + (22, 0)
    both = np.concatenate([medial, lateral])
    return np.column_stack([both, np.zeros(len(both))])


def condyles() -> np.ndarray:
    """A trochlea that parts into two condyles 20 degrees behind straight down."""
    angle, across = np.meshgrid(np.radians(np.arange(-120.0, 130, 0.5)), np.arange(-30, 30.1, 0.5))
    angle, across = angle.ravel(), across.ravel()
    keep = (np.abs(across) > 8) | (angle < np.radians(20))
    points = np.stack([across, 25 * np.sin(angle), -25 * np.cos(angle)], axis=1)
    return points[keep]


def test_a_plateau_has_five_fields() -> None:
    points = plateaus()
    areas = np.ones(len(points))
    found = tibial_regions(points, areas, sided=True)
    assert set(found) == {"medial", "lateral"} | {f"{f}{c}TC" for f in FIELDS for c in "ML"}
    for half, letter in (("medial", "M"), ("lateral", "L")):
        members = np.stack([found[f"{field}{letter}TC"] for field in FIELDS])
        np.testing.assert_array_equal(members.sum(axis=0), found[half].astype(int))
        assert members[-1].sum() == pytest.approx(0.2 * found[half].sum(), rel=0.01)
        # an ellipse's own diagonals cut the rest into equal quarters
        for field in members[:-1]:
            assert field.sum() == pytest.approx(0.2 * found[half].sum(), rel=0.05)
    assert points[found["eMTC"], 0].mean() < points[found["cMTC"], 0].mean() < points[found["iMTC"], 0].mean()
    assert points[found["iLTC"], 0].mean() < points[found["cLTC"], 0].mean() < points[found["eLTC"], 0].mean()
    assert points[found["aMTC"], 1].mean() < -10
    assert points[found["pLTC"], 1].mean() > 8


def test_the_femur_has_its_parts() -> None:
    points = condyles()
    found = femoral_regions(points, sided=True)
    names = {f"{part}{letter}FC" for part in PARTS for letter in "ML"}
    assert names < set(found)
    np.testing.assert_array_equal(np.stack([found[name] for name in names]).sum(axis=0), 1)
    notch = 25 * np.sin(np.radians(20))
    end = notch + 0.6 * (25 - notch)
    np.testing.assert_allclose(points[found["anterior"], 1].max(), notch, atol=0.5)
    np.testing.assert_allclose(points[found["weight_bearing"], 1].max(), end, atol=0.5)
    assert points[found["weight_bearing"], 2].max() < 0
    # beside the notch's beginning the inner third reaches the middle
    behind = points[:, 1] > notch + 3
    assert points[found["ecMFC"] & behind, 0].max() < points[found["ccMFC"] & behind, 0].min()
    assert points[found["ccLFC"] & behind, 0].max() < points[found["ecLFC"] & behind, 0].min()
    widths = [np.ptp(points[found[f"{part}LFC"] & behind, 0]) for part in ("ec", "cc", "ic")]
    assert widths == pytest.approx([22 / 3] * 3, abs=1.0)


def test_without_a_side_nothing_is_medial() -> None:
    assert set(femoral_regions(condyles(), sided=False)) == {"anterior", "weight_bearing", "posterior"}
    points = plateaus()
    assert tibial_regions(points, np.ones(len(points)), sided=False) == {}
    assert patellar_regions(points, sided=False) == {}
    halves = patellar_regions(np.array([[-2.0, 0, 0], [5, 0, 0]]), sided=True)
    assert halves["medial"].tolist() == [True, False]


def test_nothing_has_no_regions() -> None:
    nothing = np.zeros((0, 3))
    assert femoral_regions(nothing, True) == tibial_regions(nothing, np.zeros(0), True) == {}
    assert patellar_regions(nothing, True) == {}


@pytest.mark.parametrize("degrees", [-20, 0, 15])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_frame_turns_with_the_knee(side: str, degrees: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    points = plateaus() * ([1, 1, 1] if side == "left" else [-1, 1, 1])
    frame = find_frame(side, points @ turn.T)  # type: ignore[arg-type]
    assert frame.across @ (turn @ [1 if side == "left" else -1, 0, 0]) > 0.999
    assert frame.back @ (turn @ [0, 1, 0]) > 0.999
    axes = np.stack([frame.across, frame.back, frame.up])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(frame.coordinates(np.array([frame.back * 2])), [[0, 2, 0]], atol=1e-9)


def test_the_frame_does_without_tibia() -> None:
    np.testing.assert_array_equal(find_frame("right", None).across, [-1, 0, 0])
    np.testing.assert_array_equal(find_frame("unknown", np.zeros((3, 3))).across, [1, 0, 0])


def test_two_groups_are_split_in_their_gap() -> None:
    values = np.concatenate([np.linspace(0, 10, 900), np.linspace(16, 20, 100)])
    assert split_in_two(values) == pytest.approx(13, abs=0.3)
    assert split_in_two(np.full(5, 2.0)) == 2


def test_a_circle_is_found() -> None:
    angle = np.linspace(0.2, 2.5, 50)
    centre, radius = fit_circle(np.stack([3 + 7 * np.cos(angle), -2 + 7 * np.sin(angle)], axis=1))
    np.testing.assert_allclose([*centre, radius], [3, -2, 7])
    assert turned(0).tolist() == np.eye(3).tolist()
