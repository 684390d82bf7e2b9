"""Layers on bones: where they are, how thick, bare bone."""

from dataclasses import replace

import numpy as np
import pytest

from kneecascade.phantom.bones import draw_build, make_bones
from kneecascade.phantom.cartilage import THINNEST_MM, femoral_thickness, meniscus, tibial_thickness

EXTENT = (112.0, 112.0, 90.0)


@pytest.fixture(scope="module")
def knee():
    draw = np.random.default_rng(3)
    build = draw_build(draw)
    return build, make_bones(build, EXTENT, draw)


def test_layers_are_at_most_full_and_never_thinner_than_bare(knee):
    build, bones = knee
    layers = (femoral_thickness, build.femoral_mm), (tibial_thickness, build.tibial_mm)
    for make, full in layers:
        layer = make(bones, build, np.random.default_rng(0))
        assert layer.max() == pytest.approx(full, rel=0.1)
        assert ((layer == 0) | (layer >= THINNEST_MM)).all()


def test_lesions_only_take_away(knee):
    build, bones = knee
    whole = femoral_thickness(bones, replace(build, lesions=0), np.random.default_rng(0))
    worn = femoral_thickness(bones, replace(build, lesions=4), np.random.default_rng(0))
    assert (worn <= whole).all()
    assert (worn < whole - 0.3).sum() > 20


def test_menisci_are_two_rings_that_leave_the_middle_free(knee):
    build, bones = knee
    rings = meniscus(bones, build) > 0
    x = bones.points[2][0, 0]
    assert rings[:, :, x < -6].any()
    assert rings[:, :, x > 6].any()
    assert not rings[:, :, np.abs(x) < 5].any()
