"""Tests of preprocessing.positions."""

import numpy as np

from kneecascade.preprocessing.positions import sample_positions


def test_rare_classes_give_all_their_voxels_and_absent_ones_none():
    labels = np.zeros((20, 30, 40), dtype=np.uint8)
    labels[4, 5, 6] = labels[19, 29, 39] = 3
    found = sample_positions(labels, 5, count=100)
    assert sorted(found) == [0, 3]
    assert found[3].tolist() == [[4, 5, 6], [19, 29, 39]]
    assert found[0].shape == (100, 3)
    assert (labels[tuple(found[0].T)] == 0).all()


def test_samples_are_the_same_each_time_and_spread_evenly():
    labels = np.ones((40, 40, 40), dtype=np.uint8)
    first, again = sample_positions(labels, 2), sample_positions(labels, 2)
    assert np.array_equal(first[1], again[1])
    assert len(np.unique(first[1], axis=0)) == 2000
    assert np.abs(first[1].mean(axis=0) - 19.5).max() < 1
