from __future__ import annotations

import numpy as np
import pytest
from solid_joints import points_of, turned

from kneecascade.biomarkers.turning import medial_to_lateral
from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.geometry import Geometry


@pytest.mark.parametrize("side", ["left", "right", "unknown"])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_voxels_keep_their_place_and_come_back(side: Side, seed: int) -> None:
    geometry = Geometry((3, 4, 5), (0.5, 1.0, 2.0), (3.0, 1.0, 2.0), tuple(turned(seed).ravel().tolist()))
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    turned_array, new, back = medial_to_lateral(LabelVolume(array, geometry), side)
    np.testing.assert_array_equal(back(turned_array), array)
    places = points_of(geometry)[np.argsort(array.ravel())]
    np.testing.assert_allclose(points_of(new)[np.argsort(turned_array.ravel())], places, atol=1e-9)
    steps = np.array(new.direction_xyz).reshape(3, 3)
    assert steps[2, 2] > 0.5
    assert steps[1, 1] > 0.5
    assert steps[0, 0] * (-1 if side == "right" else 1) > 0.5
