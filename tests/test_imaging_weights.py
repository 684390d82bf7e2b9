"""Tests of imaging.weights."""

import numpy as np
import pytest
from scipy import ndimage

from kneecascade.imaging.weights import (
    apply_weights,
    area_weights,
    fraction_weights,
    image_weights,
    linear_weights,
)


@pytest.mark.parametrize("make", [image_weights, area_weights, linear_weights, fraction_weights])
@pytest.mark.parametrize(("n_in", "n_out"), [(5, 5), (5, 9), (9, 5), (1, 4), (7, 1), (60, 61)])
def test_rows_sum_to_one(make, n_in, n_out):
    weights = make(n_in, n_out)
    assert weights.shape == (n_out, n_in)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("make", [image_weights, area_weights, linear_weights, fraction_weights])
def test_equal_grids_change_nothing(make):
    assert np.array_equal(make(6, 6), np.eye(6, dtype=np.float32))


def test_area_halves_by_averaging_pairs():
    assert area_weights(4, 2).tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]


def test_area_shares_a_voxel_between_two_neighbours():
    assert area_weights(3, 2) == pytest.approx(np.array([[2, 1, 0], [0, 1, 2]]) / 3)


def test_linear_is_what_scipy_computes_in_grid_mode():
    line = np.random.default_rng(1).normal(size=11)
    expected = ndimage.zoom(line, 29 / 11, order=1, mode="nearest", grid_mode=True)
    assert linear_weights(11, 29) @ line == pytest.approx(expected, abs=1e-6)


def test_linear_within_a_range_uses_nothing_outside_it():
    part = linear_weights(10, 25, 3, 7)
    assert part.shape == (25, 4)
    assert part.sum(axis=1) == pytest.approx(1, abs=1e-6)
    deep = slice(10, 15)  # centres from 3.7 to 5.3, between voxel centres 3 and 6
    assert part[deep] == pytest.approx(linear_weights(10, 25)[deep, 3:7], abs=1e-6)
    assert part[0].tolist() == [1, 0, 0, 0]


def test_cached_weights_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        image_weights(4, 7)[0, 0] = 1


def test_products_equal_einsum_for_every_order_of_axes():
    rng = np.random.default_rng(2)
    array = rng.normal(size=(7, 60, 9)).astype(np.float32)
    for shape in ((14, 110, 5), (3, 20, 30), (7, 59, 9)):
        weights = [image_weights(a, b) for a, b in zip(array.shape, shape, strict=True)]
        expected = np.einsum("zyx,az,by,cx->abc", array, *weights, optimize=True)
        assert apply_weights(array, weights) == pytest.approx(expected, abs=1e-5)


def test_products_of_no_rows_are_empty():
    weights = [image_weights(4, 4)[:0], image_weights(4, 4), image_weights(4, 4)]
    assert apply_weights(np.ones((4, 4, 4)), weights).shape == (0, 4, 4)
