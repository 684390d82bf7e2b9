"""kneecascade.planning.targets, kneecascade.planning.region_rules."""

from __future__ import annotations

import dataclasses

import pytest
from fingerprints import KNEE, absent, knee_case

from kneecascade.core.fingerprint import CaseFingerprint
from kneecascade.planning.region_rules import median_of, region_plan, target_extents
from kneecascade.planning.targets import choose_targets, mirror_axes, present, thin_labels

NAMES = tuple(KNEE)
CARTILAGE = ("femoral_cartilage", "tibial_cartilage")
MM = (1.0, 1.0, 1.0)
IMAGE = (140.0, 140.0, 112.0)


def knee(scale: float = 1.0) -> CaseFingerprint:
    return knee_case("k", (140, 140, 112), MM, scale=scale)


def without(case: CaseFingerprint, *names: str) -> CaseFingerprint:
    labels = tuple(absent(x.name) if x.name in names else x for x in case.labels)
    return dataclasses.replace(case, labels=labels)


def test_large_and_thick_labels_stay_coarse() -> None:
    assert choose_targets(NAMES, [knee()], MM, None) == CARTILAGE
    # eight coarse voxels of 5 mm: the tibia is 37 mm thick and becomes a target
    assert choose_targets(NAMES, [knee()], (5.0, 1.0, 1.0), None) == (
        "femoral_cartilage",
        "tibia",
        "tibial_cartilage",
    )


def test_large_but_thin_labels_are_targets() -> None:
    case = knee()
    labels = tuple(dataclasses.replace(x, thickness_mm=3.0) for x in case.labels)
    assert choose_targets(NAMES, [dataclasses.replace(case, labels=labels)], MM, None) == NAMES


def test_thick_labels_without_small_ones_are_targets() -> None:
    bones = without(knee(), *CARTILAGE)
    assert choose_targets(NAMES, [bones], MM, None) == ("femur", "tibia")


def test_the_data_sets_own_choice_goes_first() -> None:
    assert choose_targets(NAMES, [knee()], MM, ("tibia", "femur")) == ("femur", "tibia")


def test_no_label_at_all() -> None:
    assert choose_targets(NAMES, [without(knee(), *NAMES)], MM, None) == NAMES


def test_thin_labels_are_under_three_voxels() -> None:
    thickness = {label.name: label.thickness_mm for label in knee().labels}
    assert thickness["femoral_cartilage"] < 3 < thickness["femur"]
    assert "femoral_cartilage" in thin_labels(NAMES, [knee()], MM)
    assert "femur" not in thin_labels(NAMES, [knee()], MM)
    assert thin_labels(NAMES, [knee()], (0.1, 0.1, 0.1)) == ()
    # the coarsest axis counts
    assert thin_labels(NAMES, [knee()], (0.1, 0.1, 30.0)) == NAMES


@pytest.mark.parametrize(
    "name", ["medial_meniscus", "Lateral tibial cartilage", "left femur", "mTC", "LFC", "men_lat"]
)
def test_sided_labels_forbid_mirroring(name: str) -> None:
    assert mirror_axes(["femur", name]) == ()


def test_other_labels_allow_left_right_mirroring() -> None:
    assert mirror_axes(["femur", "patellar_cartilage", "meniscus", "TC", "platform"]) == (2,)


def test_region_ranges_come_from_the_cases() -> None:
    cases = [knee(0.9), knee(1.0), knee(1.1)]
    plan = region_plan(CARTILAGE, cases, MM, IMAGE)
    volumes = [label.volume_mm3 for label in present("femoral_cartilage", cases)]
    assert plan.min_component_mm3[0] == pytest.approx(0.05 * min(volumes), rel=1e-3)
    assert plan.min_volume_mm3[0] == pytest.approx(0.5 * min(volumes), rel=1e-3)
    assert plan.max_volume_mm3[0] == pytest.approx(2 * max(volumes), rel=1e-3)
    extents = target_extents(CARTILAGE, cases)
    assert plan.min_extent_mm == pytest.approx([0.6 * e for e in extents[0]], rel=1e-3)
    assert plan.max_extent_mm == pytest.approx([1.4 * e for e in extents[2]], rel=1e-3)
    assert plan.margin_mm == 8.0


def test_the_least_gaps_to_the_six_sides() -> None:
    plan = region_plan(CARTILAGE, [knee(0.9), knee(1.0), without(knee(), *NAMES)], MM, IMAGE)
    edges = (140.0, 140.0, 112.0)
    low = [0.33 * edges[0], 0.2 * edges[1], 0.15 * edges[2]]
    high = [(1 - 0.65) * edges[0], (1 - 0.75) * edges[1], (1 - 0.85) * edges[2]]
    expected = [gap for pair in zip(low, high, strict=True) for gap in pair]
    assert plan.min_gap_mm == pytest.approx(expected, rel=1e-3)
    assert region_plan(("femur",), [without(knee(), *NAMES)], MM, IMAGE).min_gap_mm == ()


def test_an_absent_label_may_be_absent() -> None:
    cases = [knee(), without(knee(), "tibial_cartilage"), without(knee(), *NAMES)]
    plan = region_plan(CARTILAGE, cases, MM, IMAGE)
    assert plan.min_volume_mm3 == (0.0, 0.0)
    assert min(plan.min_component_mm3) > 0
    assert len(target_extents(CARTILAGE, cases)) == 2
    never = region_plan(("femur",), [cases[2]], MM, IMAGE)
    assert never.max_volume_mm3[0] == pytest.approx(140 * 140 * 112, rel=1e-3)


def test_the_box_holds_all_targets() -> None:
    (extent,) = target_extents(CARTILAGE, [knee()])
    assert extent == pytest.approx((0.32 * 140, 0.55 * 140, 0.7 * 112))
    assert median_of([(1.0, 9.0, 5.0), (3.0, 8.0, 5.0), (2.0, 1.0, 5.0)]) == (2.0, 8.0, 5.0)


def test_the_margin_stays_inside_small_images() -> None:
    small = knee_case("k", (20, 20, 16), MM)
    assert region_plan(NAMES, [small], MM, (20.0, 20.0, 16.0)).margin_mm < 8
    assert region_plan(NAMES, [small], (5.0, 5.0, 5.0), (20.0, 20.0, 16.0)).margin_mm == 5
