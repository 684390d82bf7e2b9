"""Legs to train on: labels, tissues, seeds, sides, fields of view."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.phantom import tissue as t
from kneecascade.phantom.leg import Leg, make_leg
from kneecascade.phantom.leg_pose import Pose, draw_pose, model_box

SPACING = (2.0, 2.0, 2.0)


@pytest.fixture(scope="module")
def legs() -> list[Leg]:
    return [make_leg((seed,), SPACING, "right") for seed in (1, 2)]


def test_every_structure_is_there(legs: list[Leg]) -> None:
    for leg in legs:
        assert set(np.unique(leg.labels)) == set(range(8))
        assert set(np.unique(leg.tissues)) >= {t.AIR, t.SKIN, t.FAT, t.MUSCLE, t.TENDON, t.MENISCUS}
        ml = np.bincount(leg.labels.ravel(), minlength=8) * np.prod(SPACING) / 1000
        assert 50 < ml[1] < 300
        assert 3 < ml[2] < 25
        assert 1 < ml[4] < 12
        assert 5 < ml[5] < 45


def test_labels_and_tissues_belong_together(legs: list[Leg]) -> None:
    for leg in legs:
        assert (leg.tissues[np.isin(leg.labels, (2, 4, 6))] == t.CARTILAGE).all()
        assert (leg.tissues[leg.labels == 7] == t.MENISCUS).all()
        assert np.isin(leg.tissues[np.isin(leg.labels, (1, 3, 5))], (t.MARROW, t.CORTEX, t.LESION)).all()
        assert not np.isin(leg.tissues[leg.labels == 0], (t.CARTILAGE, t.MENISCUS)).any()


def test_the_fibula_is_bone_without_a_label(legs: list[Leg]) -> None:
    assert any(((leg.labels == 0) & (leg.tissues == t.MARROW)).sum() > 100 for leg in legs)


def test_one_seed_one_leg_and_its_mirror_image() -> None:
    right, again, left = (make_leg((5,), (3.0, 3.0, 3.0), side) for side in ("right", "right", "left"))
    assert np.array_equal(right.tissues, again.tissues)
    assert np.array_equal(right.labels, left.labels[:, :, ::-1])
    assert (right.labels != left.labels).mean() > 0.01


def test_the_model_holds_the_field_of_view() -> None:
    for seed in range(20):
        pose = draw_pose(np.random.default_rng(seed))
        low, high = model_box(pose)
        size = np.subtract(high, low) * pose.sizes
        assert (size > np.array(pose.extent_mm)).all()
        assert (np.array(low) < pose.centre_mm).all()
        assert (np.array(high) > pose.centre_mm).all()


def test_a_straight_pose_needs_no_more_than_its_room() -> None:
    plain = Pose((100.0, 100.0, 80.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    low, high = model_box(plain)
    assert np.subtract(high, low) == pytest.approx([118.0, 118.0, 98.0])


def test_most_fields_of_view_hold_the_place_of_the_patella() -> None:
    held = 0
    for seed in range(200):
        pose = draw_pose(np.random.default_rng(seed))
        half = [e / 2 / size for e, size in zip(pose.extent_mm, pose.sizes, strict=True)]
        top, front = pose.centre_mm[0] + half[0], pose.centre_mm[1] - half[1]
        held += top > 58 and front < -55  # its upper and front ends, in the leg's space
    assert 160 < held < 198
