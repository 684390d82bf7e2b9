"""kneecascade.inference.sides, with a network that knows right knees alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from plans import tiny_plan
from torch import nn

from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.geometry import Geometry, Int3
from kneecascade.core.plan import CascadePlan
from kneecascade.evaluation.quality_features import Features, measure_features
from kneecascade.evaluation.quality_limits import make_reference
from kneecascade.inference.cascade import Cascade
from kneecascade.inference.sides import Evidence, certainty, contradiction, more_plausible, told_side
from kneecascade.network.device import choose_device

SHAPE: Int3 = (32, 24, 36)
LABELS = ("background", "bone", "medial_cartilage", "lateral_cartilage")
GREY = np.array([0.0, 60.0, 120.0, 120.0, 180.0], np.float32)
FIBULA = 4


def sided_plan() -> CascadePlan:
    plan = tiny_plan(LABELS, targets=LABELS[2:], coarse_spacing=(1.0, 1.0, 1.0), mirror_axes=())
    return replace(plan, canonical_side="right", normalization=("none",))


def knee(side: Side, canonical: bool = True) -> tuple[Volume, LabelVolume]:
    """Returns a bone with two cartilages on it and a bright fibula on its lateral side."""
    anatomy = np.zeros(SHAPE, np.int16)
    anatomy[4:16, 6:18, 8:30] = 1
    anatomy[16:19, 6:18, 19:30] = 2  # x grows to the left of the body: medial in a right knee
    anatomy[16:19, 6:18, 8:19] = 3
    anatomy[2:10, 10:14, 2:6] = FIBULA
    if side == "left":
        anatomy = anatomy[..., ::-1].copy()
    direction = (1.0, 0, 0, 0, 1, 0, 0, 0, 1) if canonical else (-1.0, 0, 0, 0, -1, 0, 0, 0, 1)
    if not canonical:
        anatomy = anatomy[:, ::-1, ::-1].copy()
    geometry = Geometry(SHAPE, (1.0, 1.0, 1.0), direction_xyz=direction)
    labels = np.where(anatomy == FIBULA, 0, anatomy).astype(np.int16)
    return Volume(GREY[anatomy][None], geometry), LabelVolume(labels, geometry)


class RightKneeNet(nn.Module):
    """Calls the half at greater x medial, as in a right knee; a fibula on that side shakes its belief."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        grey = x[:, 0].float()
        places = torch.arange(grey.shape[-1]).expand_as(grey)
        bone, fibula = (grey - 60).abs() < 20, grey > 150
        middle = places[bone].float().mean() if bone.any() else torch.tensor(0.0)
        wrong = fibula.any() and places[fibula].float().mean() > middle
        cartilage = (grey - 120).abs() < 20
        belief = 1.5 if wrong else 6.0
        chosen = [~(bone | cartilage), bone, cartilage & (places > middle), cartilage & (places <= middle)]
        return belief * torch.stack(chosen, dim=1).float()


def cascade() -> Cascade:
    plan = sided_plan()
    device = replace(choose_device("cpu"), autocast=None)
    return Cascade(plan, [RightKneeNet()], [RightKneeNet()], device)


@pytest.mark.parametrize("canonical", [True, False])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_medial_comes_out_medial(side: Side, given: bool, canonical: bool) -> None:
    volume, expected = knee(side, canonical)
    result = cascade().predict(volume, "knee", side=side if given else "unknown")
    assert np.array_equal(result.labels.array, expected.array)
    assert result.labels.geometry == volume.geometry
    assert result.trace.mirrored == (side == "left")
    unknown = [flag for flag in result.flags if flag.startswith("side unknown")]
    assert len(unknown) == (not given)
    assert all(f"kept {side} (medial and lateral fit" in flag for flag in unknown)
    assert result.fine_probabilities is None


def test_without_the_side_a_left_knee_would_come_out_swapped() -> None:
    """The test above can fail: the network itself cannot tell."""
    volume, expected = knee("left")
    blind = replace(cascade(), plan=replace(sided_plan(), canonical_side="none"))
    swapped = np.array([0, 1, 3, 2])[blind.predict(volume, "knee").labels.array]
    assert np.array_equal(swapped, expected.array)


def test_a_wrong_side_is_flagged_where_the_labels_tell() -> None:
    plan = sided_plan()
    _, labels = knee("left")
    assert told_side(labels, plan) == "left"
    (flag,) = contradiction(labels, plan, "right")
    assert flag == "taken for a right knee, but medial and lateral came out as in a left one"
    assert contradiction(labels, plan, "left") == contradiction(labels, plan, "unknown") == ()
    assert contradiction(labels, replace(plan, canonical_side="none"), "right") == ()
    stray = labels.array.copy()
    stray[0, 0, 35] = 3
    assert told_side(LabelVolume(stray, labels.geometry), plan) == "left"


def test_anatomy_goes_before_flags_before_certainty() -> None:
    fits, doubted = Evidence("left", 3, 0.5), Evidence("left", 0, 0.9)
    assert more_plausible({"right": doubted, "left": fits})[0] == "left"
    assert more_plausible({"right": Evidence("right", 1, 0.9), "left": Evidence("left", 0, 0.5)})[0] == "left"
    side, flag = more_plausible({"right": Evidence("right", 0, 0.9), "left": Evidence("left", 0, 0.8)})
    assert side == "right"
    assert "certainty 0.900 against 0.800" in flag
    assert "fit neither" in more_plausible({"right": Evidence(None, 0, 0), "left": Evidence(None, 1, 0)})[1]


def test_shape_goes_before_flags_and_certainty() -> None:
    right, left = Evidence("right", 0, 0.9, -0.3), Evidence("left", 2, 0.5, 0.3)
    side, flag = more_plausible({"right": right, "left": left})
    assert side == "left"
    assert "shape +0.30, 1 is typical" in flag
    assert more_plausible({"right": right, "left": replace(left, told="right")})[0] == "right"


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_network_that_cannot_tell_is_helped_by_the_shape(side: Side) -> None:
    """Without the fibula both answers are as certain; the training knees' patella rides laterally."""
    volume, expected = riding(side)
    knees = [features_of_right(k) for k in range(3)]
    plan = sided_plan()
    reference = make_reference(knees, plan.labels, "Dataset001_A", "h", "right")
    helped = replace(cascade(), reference=reference)
    result = helped.predict(volume, "knee", side="unknown")
    assert np.array_equal(result.labels.array, expected.array)
    assert any("shape +" in flag for flag in result.flags if flag.startswith("side unknown"))
    other = replace(helped, reference=replace(reference, side="left"))
    assert not any("shape" in flag for flag in other.predict(volume, "knee").flags)


def riding(side: Side) -> tuple[Volume, LabelVolume]:
    """Returns a knee without a fibula whose medial plate is higher and reaches farther to the back."""
    volume, labels = knee("right")
    anatomy = labels.array.copy()
    anatomy[16:19, 18:22, 19:30] = 2
    grey = GREY[anatomy]
    if side == "left":
        anatomy, grey = anatomy[..., ::-1].copy(), grey[..., ::-1].copy()
    return Volume(grey[None], volume.geometry), LabelVolume(anatomy, labels.geometry)


def features_of_right(k: int) -> Features:
    array = np.roll(riding("right")[1].array, k, axis=1)
    labels = LabelVolume(array, riding("right")[1].geometry)
    return measure_features(None, labels, sided_plan().labels)


def test_certainty_is_that_of_target_voxels() -> None:
    plan = sided_plan()
    probabilities = np.zeros((4, 1, 1, 3), np.float32)
    probabilities[0, ..., 0], probabilities[2, ..., 1], probabilities[3, ..., 2] = 1.0, 0.7, 0.9
    assert certainty([probabilities], plan) == pytest.approx(0.8)
    assert certainty([probabilities, probabilities[..., :1]], plan) == pytest.approx(0.4)
    assert certainty([probabilities], replace(plan, canonical_side="none")) is None
