"""Tests of imaging.orientation."""

from itertools import permutations, product

import numpy as np
import pytest
from plans import oblique_direction, tiny_geometry

from kneecascade.core.geometry import Geometry
from kneecascade.imaging.orientation import (
    canonical_axes,
    canonical_geometry,
    from_canonical,
    reversed_x,
    to_canonical,
)


def all_orientations():
    """Yields the 48 ways to lay three array axes along three patient axes, slightly turned."""
    tilt = np.array(oblique_direction((8.0, -12.0, 5.0))).reshape(3, 3)
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        columns = np.eye(3)[:, list(order)] * np.array(signs)
        yield Geometry((3, 4, 5), (0.7, 1.1, 2.3), (4.0, -5.0, 6.0), tuple((tilt @ columns).ravel()))


def place(geometry, index_zyx):
    matrix = np.array(geometry.direction_xyz).reshape(3, 3)
    steps = np.array(index_zyx[::-1]) * np.array(geometry.spacing_mm[::-1])
    return np.array(geometry.origin_mm_xyz) + matrix @ steps


def test_every_orientation_becomes_foot_to_head_front_to_back_right_to_left():
    seen = set()
    for geometry in all_orientations():
        seen.add(canonical_axes(geometry))
        turned = canonical_geometry(geometry)
        assert canonical_axes(turned) == ((0, 1, 2), (False, False, False))
        x, y, z = np.array(turned.direction_xyz).reshape(3, 3).T
        assert z[2] > 0.9
        assert y[1] > 0.9
        assert x[0] > 0.9
    assert len(seen) == 48


def test_every_voxel_keeps_its_place_in_space():
    numbers = np.arange(60).reshape(3, 4, 5)
    for geometry in all_orientations():
        axes, flips = canonical_axes(geometry)
        turned, grid = to_canonical(numbers, axes, flips), canonical_geometry(geometry)
        assert turned.shape == grid.shape_zyx
        for index in ((0, 0, 0), (2, 1, 4), (1, 3, 2)):
            there = tuple(int(k[0]) for k in np.where(turned == numbers[index]))
            assert place(grid, there) == pytest.approx(place(geometry, index), abs=1e-9)


def test_a_grid_read_backwards_keeps_its_places():
    for geometry in all_orientations():
        back = reversed_x(geometry)
        for z, y, x in ((0, 0, 0), (2, 1, 4), (1, 3, 2)):
            assert place(back, (z, y, 4 - x)) == pytest.approx(place(geometry, (z, y, x)), abs=1e-9)


def test_the_way_back_is_exact_with_leading_axes_too():
    array = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for geometry in all_orientations():
        axes, flips = canonical_axes(geometry)
        assert np.array_equal(from_canonical(to_canonical(array, axes, flips), axes, flips), array)
        assert np.array_equal(to_canonical(array, axes, flips)[1], to_canonical(array[1], axes, flips))


def test_ambiguous_45_degrees_still_gives_one_axis_each():
    axes, _ = canonical_axes(tiny_geometry(degrees_xyz=(45.0, 45.0, 45.0)))
    assert sorted(axes) == [0, 1, 2]
