"""Tests of imaging.narrow."""

import numpy as np
import pytest

from kneecascade.imaging.narrow import narrow


@pytest.mark.parametrize(
    ("values", "kind"), [([0, 255], "u1"), ([0, 256], "i2"), ([-1, 3], "i2"), ([], "i2")]
)
def test_labels_get_narrow_where_all_fit(values, kind):
    labels = np.array(values, dtype=np.int16)
    found = narrow(labels)
    assert found.dtype == np.dtype(kind)
    np.testing.assert_array_equal(found, labels)
