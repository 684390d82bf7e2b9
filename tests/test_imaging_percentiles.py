"""Tests of imaging.percentiles."""

import numpy as np

from kneecascade.imaging.percentiles import percentiles


def test_percentiles_are_numpys_to_the_last_bit():
    rng = np.random.default_rng(0)
    for k in range(300):
        n = int(rng.integers(1, 400))
        array = rng.normal(size=n) if k % 2 else rng.integers(-5, 90, n)
        array = array.astype(np.float64 if k % 4 == 1 else np.float32)
        wanted = sorted(rng.uniform(0, 100, int(rng.integers(1, 6))).tolist())
        wanted = [0, 0, *wanted, 100, 100] if k % 7 == 0 else wanted
        assert percentiles(array, wanted) == np.percentile(array, wanted).tolist()


def test_a_turned_view_is_read_and_left_alone():
    array = np.random.default_rng(1).normal(size=(4, 5, 6)).astype(np.float32)
    before = array.copy()
    view = array.transpose(2, 0, 1)[::-1]
    assert percentiles(view, (0.5, 50, 99.5)) == np.percentile(array, (0.5, 50, 99.5)).tolist()
    np.testing.assert_array_equal(array, before)
