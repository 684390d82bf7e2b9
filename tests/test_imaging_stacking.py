"""kneecascade.imaging.stacking."""

import numpy as np

from kneecascade.imaging.stacking import stacked


def test_one_channel_is_shared_several_are_joined():
    one = np.zeros((2, 3, 4), np.float32)
    assert np.shares_memory(stacked([one]), one)
    assert stacked([one]).shape == (1, 2, 3, 4)
    assert stacked([one, one + 1])[1].min() == 1
