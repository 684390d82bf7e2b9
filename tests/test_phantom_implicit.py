"""Solids: signs, distances, joins."""

import numpy as np
import pytest

from kneecascade.phantom.implicit import cone, ellipsoid, to_distance, union, without


@pytest.fixture(scope="module")
def points():
    axis = np.arange(-20.0, 20.5, 0.5, dtype=np.float32)
    return axis[:, None, None], axis[None, :, None], axis[None, None, :]


def test_the_distance_to_a_ball_is_exact_near_its_surface(points):
    field = to_distance(ellipsoid(points, (0.0, 0.0, 0.0), (10.0, 10.0, 10.0)), (0.5, 0.5, 0.5))
    exact = np.sqrt(sum(p**2 for p in points)) - 10
    near = np.abs(exact) < 2
    assert np.abs(field - exact)[near].max() < 0.3


def test_a_cone_has_its_two_radii(points):
    field = cone(points, (-15.0, 0.0, 0.0), (15.0, 0.0, 0.0), 8.0, 4.0)
    widths = [(field[k] < 0).any(axis=1).sum() * 0.5 / 2 for k in (10, 70)]
    assert widths == pytest.approx([8.0, 4.0], abs=0.6)


def test_joining_adds_and_cutting_takes_away(points):
    a, b = (ellipsoid(points, (0.0, y, 0.0), (8.0, 8.0, 8.0)) for y in (-5.0, 5.0))
    both, left = union(a, b, 1.0), without(a, b, 1.0)
    assert (both[(a < 0) | (b < 0)] <= 0).all()
    assert not ((left < 0) & (b < -0.5)).any()
    assert ((left < 0) & (a < 0)).sum() > 1000
