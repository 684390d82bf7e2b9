from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kneecascade.biomarkers import inner, ranges
from kneecascade.biomarkers.knee import KneeMeasures, measure_knee
from kneecascade.biomarkers.measures import (
    ENCLOSED,
    NO_BONE,
    NORMAL,
    NOTHING,
    weighted_mean_sd,
    weighted_percentile,
)
from kneecascade.biomarkers.structures import CARTILAGE_ON, Structures, from_names
from kneecascade.biomarkers.table import Row
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.errors import ImageError
from kneecascade.phantom.anatomy import NAMES, Knee, labels_on, make_knee, truth
from kneecascade.phantom.grids import mirrored_geometry

SHAPE = (150, 150, 100)
EXTENT = (120.0, 120.0, 100.0)
NAMED = from_names({name: k for k, name in enumerate(NAMES)}, "phantom")
TURN = np.array([[np.cos(0.2), -np.sin(0.2), 0], [np.sin(0.2), np.cos(0.2), 0], [0, 0, 1]])
GEOMETRY = Geometry(SHAPE, (0.8, 0.8, 1.0), (-90.0, -60.0, -50.0), tuple(TURN.ravel().tolist()))


@pytest.fixture(scope="module")
def phantom() -> Knee:
    return make_knee((3,), EXTENT, "right")


@pytest.fixture(scope="module")
def labels(phantom: Knee) -> LabelVolume:
    return LabelVolume(labels_on(phantom, SHAPE).astype(np.int16), GEOMETRY)


@pytest.fixture(scope="module")
def right(labels: LabelVolume) -> KneeMeasures:
    return measure_knee("knee", labels, NAMED, "right")


def numbers(knee: KneeMeasures) -> dict[tuple[str, str, str, str], float | None]:
    return {(row.structure, row.region, row.measure, row.method): row.value for row in knee.rows}


def test_every_number_has_its_own_name(right: KneeMeasures) -> None:
    assert len(numbers(right)) == len(right.rows)
    assert all(row.value is None or np.isfinite(row.value) for row in right.rows)
    regions = {row.region for row in right.rows if row.structure == "femoral_cartilage"}
    assert {"whole", "medial", "weight_bearing", "ccLFC", "pMFC"} < regions
    assert len([r for r in {row.region for row in right.rows} if r.endswith(("FC", "TC"))]) == 20


def test_volumes_and_thickness_are_the_phantoms(right: KneeMeasures, phantom: Knee) -> None:
    exact, found = truth(phantom), numbers(right)
    for name in NAMES[1:]:
        volume = found[name, "whole", "volume", "voxels counted"]
        assert volume == pytest.approx(exact["volume_mm3"][name] / 1000, rel=0.03)
    for name, mean in exact["mean_thickness_mm"].items():
        thickness = found[name, "whole", "ThCcAB", NORMAL]
        # the truth is of the layer before neighbours press on it, and counts its thin rim
        assert thickness == pytest.approx(mean, abs=0.35)


def test_the_closed_surface_holds_nearly_what_the_voxels_do(right: KneeMeasures) -> None:
    found = numbers(right)
    for cartilage in CARTILAGE_ON:
        voxels = found[cartilage, "whole", "volume", "voxels counted"]
        assert found[cartilage, "whole", "surface_volume", ENCLOSED] == pytest.approx(voxels, rel=0.12)


def test_parts_add_up(right: KneeMeasures) -> None:
    found = numbers(right)
    methods = {row.measure: row.method for row in right.rows if row.region == "ccMFC"}
    for measure in ("cAB", "tAB", "dAB", "volume"):
        whole = next(v for k, v in found.items() if k[:3] == ("femoral_cartilage", "whole", measure))
        parts = [
            found["femoral_cartilage", f"{part}{letter}FC", measure, methods[measure]]
            for part in ("a", "ec", "cc", "ic", "p")
            for letter in "ML"
        ]
        assert sum(p or 0 for p in parts) == pytest.approx(whole, rel=1e-3, abs=1.0)


def test_a_left_knee_measures_like_its_mirror_image(labels: LabelVolume, right: KneeMeasures) -> None:
    mirrored = LabelVolume(labels.array[:, :, ::-1].copy(), mirrored_geometry(labels.geometry))
    left = numbers(measure_knee("knee", mirrored, NAMED, "left"))
    assert left.keys() == numbers(right).keys()
    for key, value in numbers(right).items():
        assert left[key] == pytest.approx(value, rel=2e-3, abs=5e-3), key


def test_flipped_axes_change_nothing(labels: LabelVolume, right: KneeMeasures) -> None:
    geometry = labels.geometry
    last = TURN @ [(SHAPE[2] - 1) * 1.0, 0, 0] + np.array(geometry.origin_mm_xyz)
    direction = tuple((TURN @ np.diag([-1.0, 1, 1])).ravel().tolist())
    turned = replace(geometry, origin_mm_xyz=tuple(last.tolist()), direction_xyz=direction)
    found = numbers(
        measure_knee("knee", LabelVolume(labels.array[:, :, ::-1].copy(), turned), NAMED, "right")
    )
    for key, value in numbers(right).items():
        assert found[key] == pytest.approx(value, rel=2e-3, abs=5e-3), key


def test_an_unknown_side_leaves_halves_out(labels: LabelVolume) -> None:
    knee = measure_knee("knee", labels, NAMED, "unknown")
    assert knee.flags[0].startswith("side unknown: medial and lateral")
    assert {row.region for row in knee.rows} == {"whole", "anterior", "weight_bearing", "posterior"}


def split_labels(labels: LabelVolume) -> tuple[LabelVolume, Structures]:
    """The tibial cartilage as two labels, 4 medial and 9 lateral, of a right knee."""
    array = labels.array.copy()
    array[:, :, : SHAPE[2] // 2][array[:, :, : SHAPE[2] // 2] == 4] = 9
    names = {
        "femur": 1,
        "femoral_cartilage": 2,
        "tibia": 3,
        "mTC": 4,
        "lTC": 9,
        "patella": 5,
        "PC": 6,
        "menisci": 7,
    }
    return LabelVolume(array, labels.geometry), from_names(names, "here")


def test_labels_of_two_halves_tell_the_side(labels: LabelVolume, right: KneeMeasures) -> None:
    knee = measure_knee("knee", *split_labels(labels), "unknown")
    assert knee.frame.side == "right"
    assert knee.flags == right.flags
    assert numbers(knee) == numbers(right)
    wrong = measure_knee("knee", *split_labels(labels), "left")
    assert wrong.frame.side == "unknown"
    assert "given as left, but by its labels it is a right knee" in wrong.flags[0]


def test_without_bone_what_needs_it_is_blank(labels: LabelVolume, right: KneeMeasures) -> None:
    array = np.where(np.isin(labels.array, (1, 3, 5)), 0, labels.array).astype(np.int16)
    names = {name: k for k, name in enumerate(NAMES) if k not in (1, 3, 5)}
    knee = measure_knee("knee", LabelVolume(array, labels.geometry), from_names(names, "here"), "right")
    found, whole = numbers(knee), numbers(right)
    for cartilage in ("femoral_cartilage", "tibial_cartilage", "patellar_cartilage"):
        for measure in ("tAB", "dAB", "FCL", "ThCtAB"):
            assert found[cartilage, "whole", measure, NO_BONE] is None
        mean = found[cartilage, "whole", "ThCcAB", f"{NORMAL}; {inner.METHOD}"]
        assert mean == pytest.approx(whole[cartilage, "whole", "ThCcAB", NORMAL], rel=0.06)
    assert not any(row.structure == "femur" for row in knee.rows)


def test_thickness_lies_in_the_cartilage(labels: LabelVolume, right: KneeMeasures) -> None:
    cartilage = np.isin(labels.array, (2, 4, 6))
    assert not right.thickness[~cartilage].any()
    assert (right.thickness[cartilage] > 0).mean() > 0.99
    assert 0.5 < np.median(right.thickness[cartilage]) < 5


def test_missing_cartilage_is_flagged_and_blank(labels: LabelVolume) -> None:
    array = np.where(labels.array == 6, 0, labels.array).astype(np.int16)
    knee = measure_knee("knee", LabelVolume(array, labels.geometry), NAMED, "right")
    assert "patellar_cartilage: not a voxel of it" in knee.flags
    assert any("volume 0.00 ml is outside 1 to 6" in flag for flag in knee.flags)
    assert numbers(knee)["patellar_cartilage", "whole", "ThCcAB", NOTHING] is None


def test_a_foreign_value_is_refused(labels: LabelVolume) -> None:
    array = labels.array.copy()
    array[0, 0, 0] = 12
    with pytest.raises(ImageError, match="label 12 has no name"):
        measure_knee("knee", LabelVolume(array, labels.geometry), NAMED, "right")


def test_flags_name_the_range() -> None:
    def row(measure: str, value: float, region: str = "whole", method: str = NORMAL) -> Row:
        return Row("k", "tibial_cartilage", region, measure, value, "ml", method)

    assert ranges.out_of_range([row("volume", 5.0), row("ThCcAB", 2.0)]) == []
    assert ranges.out_of_range([row("volume", 12.0)]) == [
        "tibial_cartilage: volume 12.00 ml is outside 2 to 9"
    ]
    assert len(ranges.out_of_range([row("ThCcAB", 0.5)])) == 1
    assert ranges.out_of_range([row("ThCcAB", 0.5, "medial"), row("ThCcAB", 0.5, method="nearest")]) == []


def test_statistics_weigh_area() -> None:
    values, weights = np.array([1.0, 3.0]), np.array([3.0, 1.0])
    assert weighted_mean_sd(values, weights) == pytest.approx((1.5, np.sqrt(0.75)))
    even = np.arange(101.0)
    assert weighted_percentile(even, np.ones(101), 95) == pytest.approx(95, abs=0.5)
    assert weighted_percentile(even, (even < 50) + 1e-9, 50) == pytest.approx(24.5, abs=0.6)
