"""Tests of imaging.normalize."""

import numpy as np
import pytest

from kneecascade.imaging.normalize import LANDMARKS, normalize, normalized_channels


def test_percentile_zscore_is_blind_to_scale_offset_and_outliers():
    rng = np.random.default_rng(0)
    array = rng.normal(100, 20, (1, 20, 20, 20)).astype(np.float32)
    plain = normalize(array, ("percentile_zscore",))
    assert plain.dtype == np.float32
    assert plain.mean() == pytest.approx(0, abs=1e-4)
    assert plain.std() == pytest.approx(1, abs=1e-4)
    scaled = normalize(array * 1e4 + 7, ("percentile_zscore",))
    assert scaled == pytest.approx(plain, abs=2e-3)
    spoiled = array.copy()
    spoiled[0, 0, 0, :5] = 1e6
    assert normalize(spoiled, ("percentile_zscore",)).max() < 5


def test_each_channel_has_its_own_choice():
    array = np.random.default_rng(1).normal(5, 2, (3, 6, 6, 6)).astype(np.float32)
    result = normalize(array, ("percentile_zscore", "zscore", "none"))
    assert result[0].max() < result[1].max()
    assert result[1].std() == pytest.approx(1, abs=1e-4)
    assert np.array_equal(result[2], array[2])


@pytest.mark.parametrize("value", [0.0, 3.7, 1e6, -2e5])
@pytest.mark.parametrize("choice", ["percentile_zscore", "zscore"])
def test_a_constant_channel_becomes_zeros(value, choice):
    assert not normalize(np.full((1, 4, 4, 4), value, dtype=np.float32), (choice,)).any()


def test_a_choice_is_needed_for_every_channel():
    with pytest.raises(ValueError, match="zip"):
        normalize(np.zeros((2, 3, 3, 3)), ("none",))


@pytest.mark.parametrize("choice", ["percentile_zscore", "zscore", "none", "histogram"])
def test_parts_are_normalised_as_the_whole_is(choice):
    array = np.random.default_rng(2).gamma(2, 50, (1, 6, 7, 8)).astype(np.float32)
    turned = array.transpose(0, 3, 1, 2)[:, ::-1]
    standards = (tuple(np.linspace(-2, 2, LANDMARKS)),) if choice == "histogram" else ()
    whole = normalize(turned, (choice,), standards)[0]
    before = array.copy()
    (channel,) = normalized_channels(turned, (choice,), standards)
    assert channel.shape == whole.shape
    for where in (..., (slice(1, 5), slice(2, 3), slice(0, 4))):
        part = channel[where]
        assert part.dtype == np.float32
        np.testing.assert_array_equal(part, whole[where])
        part += 1
    np.testing.assert_array_equal(array, before)
