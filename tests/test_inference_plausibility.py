"""Tests of inference.plausibility."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from plans import tiny_plan

from kneecascade.core.geometry import Box
from kneecascade.inference.plausibility import (
    MISSING,
    Doubt,
    differences,
    doubt_of_difference,
    doubt_of_volumes,
)


def _plan(**region: object):
    plan = tiny_plan(labels=("background", "bone", "a", "b"), targets=("a", "b"))
    limits = {"min_volume_mm3": (1000.0, 0.0), "max_volume_mm3": (4000.0, 2000.0), **region}
    return replace(plan, region=replace(plan.region, **limits))


@pytest.mark.parametrize(
    ("a", "b", "lost", "amount", "flags"),
    [
        (2.0, 1.0, False, 0.0, ()),
        (2.0, 0.0, False, 0.0, ()),  # some training case had no b
        (0.0, 1.0, True, MISSING, ("no a found by me",)),
        (0.5, 1.0, True, math.log(2), ("a: 0.5 ml by me, expected 1 to 4 ml",)),
        (8.0, 1.0, False, math.log(2), ("a: 8 ml by me, expected 1 to 4 ml",)),
        (2.0, 4.0, False, math.log(2), ("b: 4 ml by me, expected 0 to 2 ml",)),
    ],
)
def test_volumes(a: float, b: float, lost: bool, amount: float, flags: tuple[str, ...]) -> None:
    doubt = doubt_of_volumes({"a": a, "b": b, "bone": 99.0}, _plan(), "me")
    assert doubt.flags == flags
    assert doubt.lost is lost
    assert doubt.amount == pytest.approx(amount)


def test_doubts_add_up() -> None:
    both = Doubt(("a",), True, 1.0) + Doubt(("b",), False, 2.0)
    assert both == Doubt(("a", "b"), True, 3.0)


def test_differences_name_the_axes() -> None:
    box = Box((0, 0, 0), (10, 10, 10))
    assert differences(box, (1.0, 2.0, 1.0), (10.0, 10.0, 10.0), "at most") == (
        "20 mm along y, expected at most 10 mm"
    )
    assert differences(box, (1.0, 2.0, 1.0), (11.0, 10.0, 10.0), "at least").startswith("10 mm along z")


def test_stages_that_differ_about_much_are_flagged():
    assert doubt_of_difference(0.06) == Doubt()
    doubt = doubt_of_difference(0.126)
    assert (doubt.lost, doubt.amount) == (False, 0)
    assert doubt.flags == ("the stages differ about 13% of what lies in the region, far from the targets",)
