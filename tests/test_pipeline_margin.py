from dataclasses import replace

import pytest
from plans import tiny_geometry, tiny_plan

from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors
from kneecascade.core.geometry import Box
from kneecascade.core.trace import Region, Trace
from kneecascade.pipeline.margin import (
    allowance_mm,
    as_planned,
    calibrated_margin,
    left_out_region,
    with_margin,
)

GRID = tiny_geometry((40, 40, 40))
TRACE = Trace(GRID, (0, 1, 2), (False, False, False), GRID, (20, 20, 20), (40, 40, 40))
KEPT = Box((10, 12, 14), (20, 22, 24))


def case(needed_mm, subject="", widened=1.0, whole=False):
    kept = None if whole else KEPT
    beyond = None if needed_mm is None else ((needed_mm * widened, -1.0, 0.0), (0.0, 0.0, 0.0))
    name = f"{subject}_{needed_mm}"
    return CaseErrors(name, subject or name, kept, widened, whole, beyond, (), ())


def margin(*needs, planned=8.0, allowance=1.5):
    return calibrated_margin([case(n, f"s{k}") for k, n in enumerate(needs)], planned, allowance)


def test_the_largest_need_rounded_up_with_an_allowance():
    assert margin(1, 2, 3.1, 0, 0) == 3.5 + 1.5
    assert margin(1, 2, 3.5, 0, 0) == 3.5 + 1.5
    assert margin(1, 2, 3.6, 0, 0) == 4.0 + 1.5


def test_the_margin_stays_between_two_and_twelve():
    assert margin(0, 0, 0, 0, 0, allowance=0.5) == 2.0
    assert margin(1, 1, 1, 1, 11.8) == 12.0


def test_a_case_that_needs_more_than_twelve_moves_nothing():
    assert margin(1, 2, 3, 2, 1, 12.1) == margin(1, 2, 3, 2, 1)


def test_few_subjects_never_shrink_the_margin():
    assert margin(0, 0, 0, 0) == 8.0
    assert margin(0, 0, 0, 9) == 9.0 + 1.5
    visits = [case(1.0, "same") for _ in range(9)]
    assert calibrated_margin(visits, 8.0, 1.5) == 8.0


def test_without_anything_measured_the_plan_stands():
    assert margin(None, None, planned=7.0) == 7.0
    assert calibrated_margin([case(3.0, whole=True)], 7.0, 1.0) == 7.0


def test_a_widened_region_needs_half_of_it():
    assert case(3.0, widened=2.0).beyond_mm[0][0] == 6.0
    assert case(3.0, widened=2.0).needed_mm == 3.0


def test_the_plan_gets_the_margin_and_can_go_back():
    plan = tiny_plan()
    errors = CoarseErrors(plan.region.margin_mm, 5.5, 1.0, ())
    chosen = with_margin(plan, errors)
    assert chosen == replace(plan, region=replace(plan.region, margin_mm=5.5))
    assert as_planned(chosen, errors) == plan
    assert with_margin(plan, None) is plan
    assert allowance_mm(plan) == 2.0


def test_recall_uses_the_margin_chosen_without_the_subject():
    plan, own = tiny_plan(), Region(Box.whole((40, 40, 40)), 1.0)
    few = [case(1.0, f"s{k}") for k in range(5)]
    worst = [replace(case(6.0, "worst"), name=name) for name in ("worst_1", "worst_2")]
    errors = CoarseErrors(4.0, 8.0, 1.0, (*few, *worst))
    # without both visits of the worst subject: 1 mm needed, 2 mm of allowance
    for name in ("worst_1", "worst_2"):
        region = left_out_region(errors, name, own, TRACE, plan)
        assert region.box == Box((7, 9, 11), (23, 25, 27))
    # without another subject: 6 mm needed
    assert left_out_region(errors, few[0].name, own, TRACE, plan).box == Box((2, 4, 6), (28, 30, 32))
    assert left_out_region(errors, "stranger", own, TRACE, plan) is own
    assert left_out_region(None, "worst_1", own, TRACE, plan) is own


def test_a_case_without_a_region_has_the_whole_image():
    lost = case(None, "lost", whole=True)
    errors = CoarseErrors(4.0, 4.0, 1.0, (lost, case(1.0, "a")))
    region = left_out_region(errors, lost.name, Region(KEPT, 0.1), TRACE, tiny_plan())
    assert region.box == Box.whole((40, 40, 40))
    assert region.whole


@pytest.mark.parametrize("widened", [1.0, 2.0])
def test_a_widened_region_is_widened_again(widened):
    errors = CoarseErrors(4.0, 4.0, 1.0, (case(1.0, "a", widened), case(1.0, "b")))
    region = left_out_region(errors, "a_1.0", Region(KEPT, 0.1), TRACE, tiny_plan())
    assert region.box.start_zyx[0] == 10 - 4 * widened
