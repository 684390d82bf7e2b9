import numpy as np
from plans import tiny_plan
from prepared import cube_case, fake_case

from kneecascade.core.geometry import Box
from kneecascade.training.cases import stage_case
from kneecascade.training.regions import REGIONS, limit_box, region_box, whole_regions


def test_the_fine_region_has_its_margin_the_coarse_one_is_everything():
    case = stage_case(cube_case(3), "fine", tiny_plan())
    box = region_box(case, "fine", 2.0, (1.0, 2.0, 1.0))
    assert box.start_zyx[1] == max(0, case.target_box.start_zyx[1] - 1)
    assert box.start_zyx[0] == max(0, case.target_box.start_zyx[0] - 2)
    assert region_box(case, "coarse", 2.0, (1.0,) * 3) == Box.whole(case.shape_zyx)


def test_a_case_without_targets_is_shown_whole():
    case = fake_case("none", np.zeros((8, 8, 8), np.uint8), np.random.default_rng(0))
    assert region_box(stage_case(case, "fine", tiny_plan()), "fine", 2.0, (1.0,) * 3) == Box.whole((8, 8, 8))


def test_large_boxes_shrink_about_their_middle():
    assert limit_box(Box.whole((4, 4, 4)), 64) == Box.whole((4, 4, 4))
    small = limit_box(Box((2, 0, 0), (22, 40, 10)), 1000)
    assert small.voxels <= 1000
    assert small.start_zyx == (7, 10, 2)


def test_regions_spread_over_the_cases():
    cases = [stage_case(cube_case(k), "fine", tiny_plan()) for k in range(REGIONS + 4)]
    regions = list(whole_regions(cases, "fine", 3.0, (1.0,) * 3, 10**6))
    assert len(regions) == REGIONS
    assert regions[0].shape[:2] == (1, 1)
    shapes = [tuple(r.shape[2:]) for r in regions]
    assert shapes[-1] != shapes[0] or len(set(shapes)) > 1
    assert not list(whole_regions([], "fine", 3.0, (1.0,) * 3, 10**6))
