"""Tests of preprocessing.winners."""

import numpy as np
import pytest

from kneecascade.imaging.weights import linear_weights
from kneecascade.preprocessing import winners


def expected(probabilities, classes, weights):
    everything = np.einsum("kzyx,az,by,cx->kabc", probabilities[list(classes)], *weights)
    return np.array(classes)[everything.argmax(axis=0)]


@pytest.mark.parametrize("slab_voxels", [1, 500, 4_000_000])
@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (0, 3), (2, 1)])
def test_winners_are_the_argmax_whatever_the_slabs(monkeypatch, slab_voxels, classes):
    monkeypatch.setattr(winners, "SLAB_VOXELS", slab_voxels)
    rng = np.random.default_rng(0)
    old, new = (6, 7, 5), (13, 15, 5)
    probabilities = np.moveaxis(rng.dirichlet((2, 1, 1, 0.2), old), -1, 0).astype(np.float32)
    probabilities[3, :, :, :3] = 0
    weights = [linear_weights(a, b) for a, b in zip(old, new, strict=True)]
    indices = np.full(new, 9, dtype=np.uint8)
    winners.write_winners(indices, probabilities, classes, weights)
    assert np.mean(indices != expected(probabilities, classes, weights)) < 2e-3


def test_one_class_alone_wins_everywhere():
    indices = np.full((4, 4, 4), 9, dtype=np.uint8)
    weights = [linear_weights(2, 4)] * 3
    winners.write_winners(indices, np.zeros((3, 2, 2, 2), dtype=np.float32), [1], weights)
    assert (indices == 1).all()


def test_probabilities_on_the_same_grid_are_left_alone():
    shape = (4, 5, 6)
    probabilities = np.moveaxis(np.random.default_rng(0).dirichlet((1, 1, 1), shape), -1, 0)
    probabilities = np.ascontiguousarray(probabilities, dtype=np.float32)
    before = probabilities.copy()
    indices = np.zeros(shape, dtype=np.uint8)
    winners.write_winners(indices, probabilities, (0, 1, 2), [linear_weights(n, n) for n in shape])
    assert np.array_equal(probabilities, before)
    assert np.array_equal(indices, before.argmax(axis=0))


def test_ties_go_to_the_first():
    indices = np.zeros((4, 4, 4), dtype=np.uint8)
    weights = [linear_weights(2, 4)] * 3
    winners.write_winners(indices, np.ones((3, 2, 2, 2), dtype=np.float32), [2, 0, 1], weights)
    assert (indices == 2).all()


def test_an_empty_grid_is_left_alone():
    indices = np.zeros((0, 4, 4), dtype=np.uint8)
    probabilities = np.stack([np.zeros((2, 2, 2)), np.ones((2, 2, 2))]).astype(np.float32)
    weights = [linear_weights(2, 4)[:0], linear_weights(2, 4), linear_weights(2, 4)]
    winners.write_winners(indices, probabilities, [0, 1], weights)
    assert indices.size == 0
