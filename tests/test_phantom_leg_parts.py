"""Parts of a leg: bones, layers, flesh, on one field grid."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.phantom.leg_bones import LegBones, Vary, make_leg_bones
from kneecascade.phantom.leg_cartilage import THINNEST_MM, draw_thickness, layers, menisci
from kneecascade.phantom.leg_flesh import make_flesh

STEP_MM = 3.0


@pytest.fixture(scope="module")
def bones() -> LegBones:
    z, y, x = (np.arange(-half, half, STEP_MM, dtype=np.float32) for half in (100.0, 66.0, 60.0))
    points = (z[:, None, None], y[None, :, None], x[None, None, :])
    return make_leg_bones(points, (STEP_MM,) * 3, (2.0, 2.0, 2.5), np.random.default_rng(4))


def test_shafts_reach_the_fields_edge_and_bones_do_not_touch(bones: LegBones) -> None:
    assert (bones.femur[-1] < 0).any()
    assert (bones.tibia[0] < 0).any()
    assert (bones.fibula[0] < 0).any()
    assert not (bones.patella[[0, -1]] < 0).any()
    solid = [field < 0 for field in (bones.femur, bones.tibia, bones.patella, bones.fibula)]
    assert np.sum(solid, axis=0).max() == 1


def test_the_fibula_lies_to_the_side_and_behind(bones: LegBones) -> None:
    place = np.argwhere(bones.fibula < 0).mean(axis=0) - np.argwhere(bones.tibia < 0).mean(axis=0)
    assert place[1] > 0
    assert place[2] > 5


def test_layers_are_bare_or_thick_enough(bones: LegBones) -> None:
    full = draw_thickness(np.random.default_rng(0))
    for layer, most in zip(layers(bones, full, np.random.default_rng(1)), full, strict=True):
        assert ((layer == 0) | (layer >= THINNEST_MM)).all()
        assert 0.3 * most < layer.max() < 1.7 * most


def test_menisci_lie_between_femur_and_tibia(bones: LegBones) -> None:
    inside = menisci(bones, np.random.default_rng(2)) > 0
    assert inside.any()
    assert bones.femur[inside].max() < 10
    assert bones.tibia[inside].max() < 10


def test_flesh_covers_the_bones(bones: LegBones) -> None:
    flesh = make_flesh(bones, np.random.default_rng(3))
    assert (flesh.depth[bones.femur < 0] > 0).mean() > 0.99
    assert (flesh.muscle < 0).mean() > 0.03
    assert (flesh.tendon < 0).any()
    assert (flesh.vessel < 0).any()
    assert flesh.fat_mm.min() >= 1


def test_numbers_stay_near_their_usual_value() -> None:
    vary = Vary(np.random.default_rng(0))
    drawn = [vary.one(10.0, 1.0) for _ in range(200)]
    assert min(drawn) >= 8
    assert max(drawn) <= 12
    assert np.std(drawn) > 0.5
