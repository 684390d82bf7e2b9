"""Tests of imaging.distance."""

import numpy as np
import pytest

from kneecascade.imaging.distance import distances_mm, signed_distances_mm


def test_distances_are_signed_and_in_millimetres():
    mask = np.zeros((1, 1, 9), dtype=bool)
    mask[..., 3:6] = True
    signed = signed_distances_mm(mask, (1.0, 1.0, 0.5), 1.2)
    assert signed[0, 0] == pytest.approx([1.2, 1.0, 0.5, 0, -0.5, 0, 0.5, 1.0, 1.2])
    assert distances_mm(mask, (1.0, 1.0, 0.5))[0, 0, 2:7] == pytest.approx([0, 0.5, 1.0, 0.5, 0])


@pytest.mark.parametrize(("value", "distance"), [(False, 7.0), (True, -7.0)])
def test_a_mask_without_a_surface_is_farthest(value, distance):
    assert (signed_distances_mm(np.full((2, 3, 4), value), (1.0, 1.0, 1.0), 7.0) == distance).all()
