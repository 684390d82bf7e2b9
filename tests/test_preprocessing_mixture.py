import numpy as np
import pytest
from plans import tiny_plan
from tiny_models import knee

from kneecascade.core.geometry import Box
from kneecascade.imaging.weights import apply_weights, linear_weights
from kneecascade.preprocessing.mixture import mix_in
from kneecascade.preprocessing.transform import prepare

BOX = Box((3, 5, 4), (20, 30, 33))


@pytest.fixture(scope="module")
def trace():
    return prepare(knee(0)[0], tiny_plan(), "knee").trace


def probabilities(shape, seed):
    powers = np.random.default_rng(seed).random((3, *shape)).astype(np.float32)
    return powers / powers.sum(axis=0)


def test_a_mixture_of_probabilities_is_one_too(trace):
    fine, coarse = probabilities(BOX.shape_zyx, 0), probabilities(trace.coarse_shape_zyx, 1)
    grids = list(zip(trace.coarse_shape_zyx, trace.fine_shape_zyx, strict=True))
    whole = np.stack([apply_weights(one, [linear_weights(*grid) for grid in grids]) for one in coarse])
    wanted = 0.7 * fine + 0.3 * whole[(slice(None), *BOX.slices)]
    mix_in(fine, coarse, BOX, trace, 0.3)
    assert np.allclose(fine, wanted, atol=1e-6)
    assert np.allclose(fine.sum(axis=0), 1, atol=1e-5)


def test_without_a_share_nothing_changes(trace):
    fine = probabilities(BOX.shape_zyx, 0)
    before = fine.copy()
    mix_in(fine, probabilities(trace.coarse_shape_zyx, 1), BOX, trace, 0.0)
    assert np.array_equal(fine, before)


def test_a_view_of_a_larger_array_is_mixed_in_place(trace):
    wide = probabilities(trace.fine_shape_zyx, 0)
    before = wide.copy()
    mix_in(wide[(slice(None), *BOX.slices)], probabilities(trace.coarse_shape_zyx, 1), BOX, trace, 0.5)
    changed = (wide != before).any(axis=0)
    assert changed[BOX.slices].mean() > 0.99
    changed[BOX.slices] = False
    assert not changed.any()


def test_an_empty_region_is_left(trace):
    fine = np.zeros((3, 0, 4, 5), dtype=np.float32)
    mix_in(fine, probabilities(trace.coarse_shape_zyx, 1), Box((3, 5, 4), (3, 9, 9)), trace, 0.5)
    assert fine.shape == (3, 0, 4, 5)
