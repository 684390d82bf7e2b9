"""Procedural knees: shapes, exact answers, seeds, sides."""

import numpy as np
import pytest

from kneecascade.phantom.anatomy import NAMES, labels_on, make_knee, truth
from kneecascade.phantom.bones import draw_build

EXTENT = (112.0, 112.0, 90.0)


@pytest.fixture(scope="module")
def knee():
    return make_knee((3,), EXTENT, "right")


def test_every_label_is_there_with_a_plausible_volume(knee):
    ml = {name: mm3 / 1000 for name, mm3 in truth(knee)["volume_mm3"].items()}
    assert set(ml) == set(NAMES[1:])
    assert 60 < ml["femur"] < 250
    assert 50 < ml["tibia"] < 250
    assert 3 < ml["femoral_cartilage"] < 20
    assert 0.8 < ml["tibial_cartilage"] < 8
    assert 0.8 < ml["patellar_cartilage"] < 6


@pytest.mark.parametrize(("shape", "tolerance"), [((112, 112, 64), 0.04), ((160, 160, 90), 0.03)])
def test_volumes_on_a_grid_agree_with_the_truth(knee, shape, tolerance):
    counts = np.bincount(labels_on(knee, shape).ravel(), minlength=len(NAMES))
    voxel_mm3 = np.prod(np.divide(EXTENT, shape))
    for name, mm3 in truth(knee)["volume_mm3"].items():
        assert counts[NAMES.index(name)] * voxel_mm3 == pytest.approx(mm3, rel=tolerance), name


def test_cartilage_lies_between_its_bone_and_the_joint(knee):
    labels = labels_on(knee, (112, 112, 90))
    for bone, cartilage in ((1, 2), (3, 4), (5, 6)):
        near = np.zeros(labels.shape, bool)
        grown = np.pad(labels == bone, 4)
        for axis in range(3):
            for step in range(-4, 5):
                near |= np.roll(grown, step, axis)[4:-4, 4:-4, 4:-4]
        assert near[labels == cartilage].mean() > 0.97


def test_thickness_follows_the_build(knee):
    means = truth(knee)["mean_thickness_mm"]
    build = draw_build(np.random.default_rng((3,)))
    wanted = (build.femoral_mm, build.tibial_mm, build.patellar_mm)
    for mean, full in zip(means.values(), wanted, strict=True):
        assert 0.6 * full < mean <= full


def test_one_seed_one_knee():
    shape = (40, 40, 32)
    first, again, other = (labels_on(make_knee((k,), EXTENT, "right"), shape) for k in (5, 5, 6))
    assert np.array_equal(first, again)
    assert (first != other).mean() > 0.01


def test_sides_differ_as_mirror_images():
    right, left = (labels_on(make_knee((5,), EXTENT, side), (56, 56, 46)) for side in ("right", "left"))
    assert np.array_equal(right, left[:, :, ::-1])
    assert (right != left).mean() > 0.01


def test_the_patella_sits_towards_the_lateral_side():
    # x runs to the left of the body: lateral is a smaller x in a right knee, a larger one in a left knee
    offsets = {"right": [], "left": []}
    for side, found in offsets.items():
        for seed in range(4):
            labels = labels_on(make_knee((seed,), EXTENT, side), (56, 56, 45))
            patella, femur = (np.argwhere(labels == k)[:, 2].mean() for k in (5, 1))
            found.append(patella - femur)
    assert np.mean(offsets["right"]) < -0.2
    assert np.mean(offsets["left"]) > 0.2
