"""kneecascade.evaluation.quality_shading."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.evaluation.quality_shading import shading

NAMES = ("background", "bone", "cartilage")
SHAPE = (60, 50, 40)
MM = (1.0, 0.8, 1.2)


def knee() -> tuple[np.ndarray, np.ndarray]:
    classes = np.zeros(SHAPE, dtype=np.uint8)
    classes[5:30, 5:45, 5:35] = 1
    classes[32:50, 5:45, 5:35] = 2
    return classes, np.array([60.0, 25.0, 110.0])[classes]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slope_is_measured_inside_labels(axis: int) -> None:
    classes, grey = knee()
    places = np.arange(SHAPE[axis]) * MM[axis]
    slope = 1 + 0.005 * (places - places.mean())  # half as bright again over 100 mm
    found = shading(classes, grey * np.moveaxis(slope[:, None, None], 0, axis), MM, NAMES, 110.0)
    assert found is not None
    for k, value in enumerate(found):
        assert value == pytest.approx(0.5 if k == axis else 0.0, abs=0.08)


def test_labels_of_different_grey_are_no_slope() -> None:
    classes, grey = knee()
    assert shading(classes, grey, MM, NAMES, 110.0) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_scale_does_not_matter_and_black_labels_tell_nothing() -> None:
    classes, grey = knee()
    grey = grey * np.linspace(0.7, 1.3, SHAPE[1])[None, :, None]
    once, thrice = shading(classes, grey, MM, NAMES, 110.0), shading(classes, 3 * grey, MM, NAMES, 330.0)
    assert once == pytest.approx(thrice)
    assert shading(classes, np.zeros(SHAPE), MM, NAMES, 110.0) is None
    assert shading(classes * 0, grey, MM, NAMES, 110.0) is None
