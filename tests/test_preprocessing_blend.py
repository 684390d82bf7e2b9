"""Tests of preprocessing.blend: no step where a surface crosses the border of the region."""

from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_geometry, tiny_plan

from kneecascade.core.case import Volume
from kneecascade.core.geometry import Box
from kneecascade.core.trace import Region
from kneecascade.imaging.orientation import to_canonical
from kneecascade.preprocessing.blend import border_ramps
from kneecascade.preprocessing.transform import prepare, restore

SHAPE = (24, 24, 24)


def slope(shape, height, scale):
    """Probabilities of background, bone, cartilage: bone below a height in mm, soft over some mm."""
    z = (np.arange(shape[0]) + 0.5) * scale
    bone = np.clip(0.5 + (height - z) / 6, 0, 1)[:, None, None] * np.ones(shape)
    return np.stack([1 - bone, bone, np.zeros(shape)]).astype(np.float32)


def surface(blend_mm):
    plan = tiny_plan(labels=("background", "bone", "cartilage"), targets=("cartilage",))
    plan = replace(plan, region=replace(plan.region, blend_mm=blend_mm))
    trace = prepare(Volume(np.zeros((1, *SHAPE), np.float32), tiny_geometry(SHAPE)), plan, "a").trace
    box = Box((0, 0, 8), (24, 24, 24))
    coarse = slope(trace.coarse_shape_zyx, 13.0, 24 / trace.coarse_shape_zyx[0])
    fine = slope(box.shape_zyx, 10.0, 1.0)
    back = restore(coarse, fine, Region(box, 0.5), trace, plan).array
    turned = to_canonical(back, trace.axes_zyx, trace.flips_zyx)
    return (turned == 1).sum(axis=0)[12]


def test_a_surface_steps_by_one_voxel_at_most():
    hard, soft = surface(0.0), surface(3.0)
    assert np.abs(np.diff(hard.astype(int))).max() == 3
    assert np.abs(np.diff(soft.astype(int))).max() == 1
    assert (soft[:8] == 13).all()
    assert (soft[16:] == 10).all()  # 8 mm, the margin, inside the border


def test_ramps_rise_inside_faces_but_not_at_the_end_of_the_image():
    ramps = border_ramps(Box((0, 2, 3), (4, 8, 9)), tiny_geometry((4, 8, 12), (1.0, 1.0, 0.5)), 2.0)
    assert ramps[0].tolist() == [1, 1, 1, 1]
    assert ramps[1] == pytest.approx([0.25, 0.75, 1, 1, 1, 1])
    assert ramps[2] == pytest.approx([0.125, 0.375, 0.625, 0.625, 0.375, 0.125])
    assert all((r == 1).all() for r in border_ramps(Box((1, 1, 1), (3, 3, 3)), tiny_geometry((5, 5, 5)), 0.0))
