from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_plan

from kneecascade.core.geometry import Box, Float3, Geometry, Int3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.inference.region import find_region

COARSE: Int3 = (20, 24, 28)
FINE: Int3 = (40, 48, 56)
GEOMETRY = Geometry(FINE, (1.0, 1.0, 1.0))
TRACE = Trace(GEOMETRY, (0, 1, 2), (False, False, False), GEOMETRY, COARSE, FINE)
LABELS = ("background", "bone", "femoral", "tibial", "patellar")
TARGETS = ("femoral", "tibial", "patellar")
VOXEL_MM3 = 8.0


def _plan(
    min_component_mm3: float = 8.0,
    min_volume_mm3: float = 8.0,
    max_volume_mm3: float = 1e6,
    min_extent_mm: Float3 = (1.0, 1.0, 1.0),
    max_extent_mm: Float3 = (1e3, 1e3, 1e3),
) -> CascadePlan:
    plan = tiny_plan(labels=LABELS, targets=TARGETS, margin_mm=3.0)
    region = replace(
        plan.region,
        min_component_mm3=(min_component_mm3,) * 3,
        min_volume_mm3=(min_volume_mm3,) * 3,
        max_volume_mm3=(max_volume_mm3,) * 3,
        min_extent_mm=min_extent_mm,
        max_extent_mm=max_extent_mm,
    )
    return replace(plan, region=region)


def _box(*corners: int) -> Box:
    return Box(corners[:3], corners[3:])  # type: ignore[arg-type]


def _probabilities(**boxes: Box | list[Box]) -> np.ndarray:
    classes = np.zeros(COARSE, dtype=int)
    for name, many in boxes.items():
        for box in many if isinstance(many, list) else [many]:
            classes[box.slices] = LABELS.index(name)
    return np.moveaxis(np.eye(len(LABELS), dtype=np.float32)[classes], -1, 0).copy()


FEMORAL, TIBIAL, PATELLAR = _box(10, 8, 8, 14, 12, 16), _box(6, 8, 8, 9, 12, 16), _box(10, 6, 10, 12, 7, 14)
KNEE = {"femoral": FEMORAL, "tibial": TIBIAL, "patellar": PATELLAR}
KNEE_BOX = _box(6 * 2 - 3, 6 * 2 - 3, 8 * 2 - 3, 14 * 2 + 3, 12 * 2 + 3, 16 * 2 + 3)


def test_box_of_all_targets_with_margin_and_no_flag() -> None:
    region = find_region(_probabilities(bone=_box(0, 0, 0, 20, 4, 28), **KNEE), TRACE, _plan())
    assert region.flags == ()
    assert region.box == KNEE_BOX
    assert not region.whole
    assert region.fraction == pytest.approx(KNEE_BOX.voxels / (40 * 48 * 56))


def test_rounding_is_outward_between_odd_grids() -> None:
    trace = replace(TRACE, fine_shape_zyx=(33, 41, 45))
    box = find_region(_probabilities(**KNEE), trace, _plan()).box
    for axis, (fine, coarse) in enumerate(zip((33, 41, 45), COARSE, strict=True)):
        step = GEOMETRY.extent_mm[axis] / fine
        low, high = (KNEE_BOX.start_zyx[axis] + 3) // 2, (KNEE_BOX.stop_zyx[axis] - 3) // 2
        assert box.start_zyx[axis] <= low * fine / coarse - 3 / step + 1e-9
        assert box.stop_zyx[axis] >= high * fine / coarse + 3 / step - 1e-9


def test_specks_are_dropped_silently() -> None:
    speck = _box(18, 20, 24, 19, 21, 25)
    pieces: dict[str, Box | list[Box]] = {**KNEE, "tibial": [TIBIAL, speck]}
    assert find_region(_probabilities(**pieces), TRACE, _plan(2 * VOXEL_MM3)).box == KNEE_BOX
    assert find_region(_probabilities(**pieces), TRACE, _plan(VOXEL_MM3)).box != KNEE_BOX


def test_one_missing_target_is_flagged_and_widens_the_margin() -> None:
    region = find_region(_probabilities(femoral=FEMORAL, tibial=TIBIAL), TRACE, _plan())
    assert "no patellar found by the coarse stage" in region.flags
    assert any("margin widened to 6 mm" in flag for flag in region.flags)
    assert region.box.start_zyx == (6 * 2 - 6, 8 * 2 - 6, 8 * 2 - 6)
    assert not region.whole


@pytest.mark.parametrize("there", [{}, {"femoral": FEMORAL}, {"bone": FEMORAL}])
def test_most_targets_missing_means_the_whole_image(there: dict[str, Box]) -> None:
    region = find_region(_probabilities(**there), TRACE, _plan())
    assert region.whole
    assert region.box == Box.whole(FINE)
    assert region.fraction == 1
    assert len(region.flags) >= 3


def test_volumes_outside_the_range_are_flagged_with_numbers() -> None:
    small = find_region(_probabilities(**KNEE), TRACE, _plan(min_volume_mm3=100.0))
    assert any(flag.startswith("patellar: 0.064 ml") and "expected 0.1" in flag for flag in small.flags)
    assert any("margin widened" in flag for flag in small.flags)
    large = find_region(_probabilities(**KNEE), TRACE, _plan(max_volume_mm3=1000.0))
    assert [flag for flag in large.flags if "femoral: 1.02 ml" in flag] == list(large.flags)
    assert large.box == KNEE_BOX


def test_a_second_knee_far_away_is_dropped() -> None:
    far = _box(0, 20, 22, 2, 23, 26)
    pieces: dict[str, Box | list[Box]] = {**KNEE, "tibial": [TIBIAL, far]}
    region = find_region(_probabilities(**pieces), TRACE, _plan(max_extent_mm=(20.0, 20.0, 20.0)))
    assert region.box == KNEE_BOX
    assert len(region.flags) == 1
    assert "too far apart" in region.flags[0]
    assert "1 pieces" in region.flags[0]


def test_a_target_that_was_only_far_away_is_missing() -> None:
    pieces = {**KNEE, "patellar": _box(0, 20, 22, 2, 23, 26)}
    region = find_region(_probabilities(**pieces), TRACE, _plan(max_extent_mm=(20.0, 20.0, 20.0)))
    assert "no patellar found by the coarse stage" in region.flags


def test_a_piece_too_large_alone_is_kept_and_flagged() -> None:
    region = find_region(_probabilities(**KNEE), TRACE, _plan(max_extent_mm=(20.0, 20.0, 10.0)))
    assert region.box == KNEE_BOX
    assert any("16 mm along x, expected at most 12 mm" in flag for flag in region.flags)


def test_a_box_too_small_is_flagged_and_widened() -> None:
    region = find_region(_probabilities(**KNEE), TRACE, _plan(min_extent_mm=(30.0, 1.0, 1.0)))
    assert any("16 mm along z, expected at least 30 mm" in flag for flag in region.flags)
    assert region.box.start_zyx[0] == 6 * 2 - 6


def test_targets_at_the_border_widen_the_margin() -> None:
    pieces = {**KNEE, "tibial": _box(1, 8, 8, 9, 12, 16)}
    region = find_region(_probabilities(**pieces), TRACE, _plan())
    assert region.at_border == ("foot",)
    assert region.flags == ()  # the fine stage has the last word
    assert region.box.start_zyx == (0, 2 * 6 - 6, 2 * 8 - 6)


def test_the_border_is_no_news_where_training_cases_reached_it() -> None:
    pieces = {**KNEE, "tibial": _box(1, 8, 8, 9, 12, 16)}
    plan = _plan()

    def sides(gap_mm: float) -> tuple[str, ...]:
        gaps = (gap_mm, 20.0, 20.0, 20.0, 20.0, 20.0)
        region = replace(plan.region, min_gap_mm=gaps)
        return find_region(_probabilities(**pieces), TRACE, replace(plan, region=region)).at_border

    assert not sides(0.0)
    assert not sides(4.0)  # a coarse voxel of 2 mm from the border, and one more of doubt
    assert sides(4.1) == ("foot",)


def test_a_target_that_some_training_case_lacked_may_be_missing() -> None:
    plan = _plan()
    plan = replace(plan, region=replace(plan.region, min_volume_mm3=(8.0, 8.0, 0.0)))
    region = find_region(_probabilities(femoral=FEMORAL, tibial=TIBIAL), TRACE, plan)
    assert region.flags == ()
    assert not region.whole
    assert find_region(_probabilities(femoral=[FEMORAL, PATELLAR]), TRACE, plan).whole is False
    assert find_region(_probabilities(patellar=PATELLAR), TRACE, plan).whole


def test_pieces_of_one_target_too_far_apart_for_it_are_dropped() -> None:
    far = _box(2, 8, 8, 4, 12, 12)  # near enough to the knee as a whole, too far for one femoral cartilage
    plan = _plan()
    limits = ((14.0, 100.0, 100.0), (100.0, 100.0, 100.0), (100.0, 100.0, 100.0))
    plan = replace(plan, region=replace(plan.region, max_label_extent_mm=limits))
    region = find_region(_probabilities(**{**KNEE, "femoral": [FEMORAL, far]}), TRACE, plan)
    assert region.box == KNEE_BOX
    assert region.flags == ("femoral: pieces far from the largest dropped by the coarse stage",)
    same = find_region(_probabilities(**KNEE), TRACE, plan)
    assert same.box == KNEE_BOX
    assert not same.flags
