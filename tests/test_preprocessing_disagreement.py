"""Tests of preprocessing.disagreement and preprocessing.settle: which stage holds where they differ."""

from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_geometry, tiny_plan

from kneecascade.core.case import Volume
from kneecascade.core.geometry import Box
from kneecascade.core.trace import Region
from kneecascade.imaging.orientation import to_canonical
from kneecascade.preprocessing.disagreement import FAR, FAR_CROSSING, gross_disagreement
from kneecascade.preprocessing.mixture import mix_in
from kneecascade.preprocessing.transform import prepare, restore

SHAPE = (48, 24, 60)
BOX = Box((0, 0, 30), (48, 24, 60))
SURE, UNSURE = 0.98, 0.6
BONE, CARTILAGE = 1, 2


@pytest.fixture
def case():
    """A plan whose coarse voxels measure 2 mm, and the trace of an image of 1 mm."""
    plan = tiny_plan(labels=("background", "bone", "cartilage"), targets=("cartilage",))
    plan = replace(plan, region=replace(plan.region, blend_mm=3.0, margin_mm=8.0, fine_reach_mm=8.0))
    trace = prepare(Volume(np.zeros((1, *SHAPE), np.float32), tiny_geometry(SHAPE)), plan, "a").trace
    assert trace.coarse_shape_zyx == (24, 12, 30)
    return plan, trace


def certain(classes, sureness=SURE):
    """Probabilities (3, ...) of a map of classes."""
    classes = np.asarray(classes)
    rest = (1 - sureness) / 2
    return np.stack([np.where(classes == k, sureness, rest) for k in range(3)]).astype(np.float32)


def below(shape, height):
    """A map of bone below a height in voxels."""
    return np.broadcast_to((np.arange(shape[0]) < height)[:, None, None], shape).astype(int)


def joined(case, coarse, fine):
    plan, trace = case
    labels = restore(coarse, fine, Region(BOX, 0.5), trace, plan, found(case, coarse, fine))
    return to_canonical(labels.array, trace.axes_zyx, trace.flips_zyx)


def found(case, coarse, fine):
    plan, trace = case
    return gross_disagreement(coarse, fine, BOX, trace, plan)


@pytest.mark.parametrize("away", [3, 6, 10])
def test_surfaces_of_sure_stages_that_lie_apart_have_no_step_above_a_coarse_voxel(case, away):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 12), 0.95)  # 24 mm
    fine = certain(below(BOX.shape_zyx, 24 + away))
    height = (joined(case, coarse, fine) == BONE).sum(axis=0)[12].astype(int)
    assert (height[:30] == 24).all()
    assert np.abs(np.diff(height)).max() <= 2
    assert height[40:] == pytest.approx(24 + away)  # far inside the surer stage is believed


def test_stages_that_differ_by_a_voxel_do_not_differ_grossly(case):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 12))
    assert found(case, coarse, certain(below(BOX.shape_zyx, 25))) is None
    assert found(case, coarse, certain(below(BOX.shape_zyx, 24))) is None


def bone_with_hole(shape, hole):
    classes = below(shape, shape[0])
    classes[hole] = 0
    return classes


HOLE = np.s_[20:32, 6:18, 14:24]
"""In the region, 14 mm from its border."""


@pytest.mark.parametrize(("coarse_sure", "fine_sure", "holds"), [(SURE, UNSURE, BONE), (UNSURE, SURE, 0)])
def test_inside_the_surer_stage_decides_far_from_targets(case, coarse_sure, fine_sure, holds):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 24), coarse_sure)
    fine = certain(bone_with_hole(BOX.shape_zyx, HOLE), fine_sure)
    assert set(np.unique(found(case, coarse, fine).kind)) == {0, FAR}
    assert joined(case, coarse, fine)[26, 12, 30 + 18] == holds


@pytest.mark.parametrize(("coarse_sure", "fine_sure"), [(SURE, UNSURE), (0.7, 0.8)])
def test_far_from_targets_a_share_that_is_mixed_in_already_is_not_counted_twice(case, coarse_sure, fine_sure):
    plan, trace = case
    coarse = certain(below(trace.coarse_shape_zyx, 24), coarse_sure)
    fine = certain(bone_with_hole(BOX.shape_zyx, HOLE), fine_sure)
    alone, mixed = found(case, coarse, fine), fine.copy()
    mix_in(mixed, coarse, BOX, trace, 0.4)
    told = gross_disagreement(coarse, mixed, BOX, trace, plan, 0.4)
    assert np.array_equal(told.kind, alone.kind)
    assert told.share == alone.share
    again = restore(coarse, mixed, Region(BOX, 0.5), trace, plan, told)
    once = restore(coarse, fine, Region(BOX, 0.5), trace, plan, alone)
    assert np.array_equal(again.array, once.array)


def test_the_share_of_what_differs_far_from_targets(case):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 24))
    share = found(case, coarse, certain(bone_with_hole(BOX.shape_zyx, HOLE))).share
    assert share == pytest.approx(12 * 12 * 10 / (48 * 24 * 30), abs=1e-3)


def test_near_targets_the_fine_stage_decides(case):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 24))
    classes = bone_with_hole(BOX.shape_zyx, HOLE)
    classes[20:32, 6:18, 24:26] = CARTILAGE
    fine = certain(classes, UNSURE)
    labels = joined(case, coarse, fine)[:, :, 30:]
    assert labels[26, 12, 20] == 0
    assert (labels[20:32, 6:18, 24:26] == CARTILAGE).all()


def test_a_difference_at_the_border_is_told_from_one_inside(case):
    trace = case[1]
    coarse = certain(below(trace.coarse_shape_zyx, 24))
    classes = bone_with_hole(BOX.shape_zyx, HOLE)
    classes[4:12, 4:20, :6] = 0
    kind = found(case, coarse, certain(classes)).kind
    assert kind[4, 6, 1] == FAR_CROSSING
    assert kind[13, 6, 9] == FAR


def test_nothing_is_found_without_a_class_beside_background_that_is_no_target(case):
    plan, trace = case
    plan = replace(plan, targets=("bone", "cartilage"))
    coarse, fine = certain(below(trace.coarse_shape_zyx, 24)), certain(below(BOX.shape_zyx, 0))
    assert gross_disagreement(coarse, fine, BOX, trace, plan) is None
