"""Tests of inference.cascade: knees that are cut, shifted, doubled or absent are noticed, and flagged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import GREY, SHAPE, GreyNet, knee, knee_plan, save_grey_model, use_grey_networks

from kneecascade.core.case import Volume
from kneecascade.core.plan import CascadePlan
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.inference.cascade import Cascade, load_cascade
from kneecascade.inference.result import CascadeResult
from kneecascade.inference.stage import Limits


@pytest.fixture(autouse=True)
def _grey(monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)


def _plan() -> CascadePlan:
    return knee_plan(min_extent_mm=(10.0, 20.0, 20.0), min_gap_mm=(5.0,) * 6)


def _cascade(folder: Path, limits: Limits | None = None) -> Cascade:
    return load_cascade(save_grey_model(folder, _plan()), device="cpu", limits=limits)


def _says(result: CascadeResult, *parts: str) -> bool:
    return all(any(part in flag for flag in result.flags) for part in parts)


def _blind(net: torch.nn.Module, keep: slice) -> None:
    """Lets a coarse network see background outside `keep` along x."""
    forward = net.forward

    def half(x: torch.Tensor) -> torch.Tensor:
        logits = forward(x)
        hidden = torch.ones(x.shape[-1], dtype=torch.bool)
        hidden[keep] = False
        logits[..., hidden] = torch.tensor([9.0, 0.0, 0.0], dtype=x.dtype)[:, None, None, None]
        return logits

    net.forward = half  # type: ignore[method-assign]


def test_a_sound_knee_raises_no_flag_and_costs_two_forwards(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    result = cascade.predict(knee(1)[0])
    assert result.flags == ()
    assert not result.region.whole
    assert len(cascade.coarse[0].sizes) == len(cascade.fine[0].sizes) == 1


def test_a_cut_knee(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    volume, reference = knee(1, shift=(0, 0, -22))
    array = volume.array.copy()
    array[..., 20:] = GREY[0]
    reference.array[..., 20:] = 0
    result = cascade.predict(Volume(array, volume.geometry))
    assert _says(result, "reach the border of the image: ")
    assert _says(result, "looked at the whole image as well", "kept the region's answer")
    assert len(cascade.fine[0].sizes) == 2
    assert dice_per_label(reference.array, result.labels.array, cascade.plan.labels)["cartilage"] > 0.95


def test_a_knee_shifted_to_the_border(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    volume, reference = knee(1, shift=(0, 0, -8))
    result = cascade.predict(volume)
    (flag,) = result.flags
    assert flag in {f"targets reach the border of the image: {side}" for side in ("right", "left")}
    assert result.region.at_border
    assert not result.region.whole
    assert dice_per_label(reference.array, result.labels.array, cascade.plan.labels)["cartilage"] > 0.97


def test_a_coarse_stage_that_strays_to_the_border_is_corrected_by_the_fine_one(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    forward = cascade.coarse[0].forward

    def stray(x: torch.Tensor) -> torch.Tensor:
        logits = forward(x)
        logits[:, 2, 9:13, 9:13, :5] = 9
        return logits

    cascade.coarse[0].forward = stray  # type: ignore[method-assign]
    result = cascade.predict(knee(1)[0])
    assert result.region.at_border
    assert result.flags == ()


def test_two_knees_in_one_image(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    volume, _ = knee(1)
    array = np.concatenate([volume.array, volume.array], axis=3)
    array[..., SHAPE[2] :][..., :10, :] = GREY[0]  # the second one is the smaller
    pair = Volume(array, replace(volume.geometry, shape_zyx=(*SHAPE[:2], 2 * SHAPE[2])))
    result = cascade.predict(pair)
    assert _says(result, "too far apart", "1 pieces far from the largest dropped")
    assert result.region.fraction < 0.3
    halves = [int((part == 2).sum()) for part in np.split(result.labels.array, 2, axis=2)]
    assert halves[0] > 3400
    assert halves[1] == 0


@pytest.mark.parametrize("limit_gb", [6.0, 0.0], ids=["one forward", "tiles"])
def test_no_knee_at_all(tmp_path: Path, limit_gb: float) -> None:
    cascade = _cascade(tmp_path, Limits(memory_limit_gb=limit_gb))
    volume, _ = knee(1)
    noise = np.random.default_rng(0).normal(GREY[0], 1, volume.array.shape).astype(np.float32)
    noise[0, 0, 0, 0] = GREY[2]
    result = cascade.predict(Volume(noise, volume.geometry))
    assert result.region.whole
    assert _says(result, "no region to trust: the whole image was used", "no cartilage found by the fine")
    assert result.in_tiles == (limit_gb == 0)
    assert (len(cascade.fine[0].sizes) > 1) == (limit_gb == 0)


def test_a_region_that_missed_half_the_knee_is_mended_by_the_whole_image(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    volume, reference = knee(1)
    _blind(cascade.coarse[0], slice(0, 7))  # the coarse stage sees a third, the margin adds 8 mm
    result = cascade.predict(volume)
    assert _says(result, "expected 2.5 to 4.5 ml", "kept the whole image's answer")
    assert result.region.whole
    assert dice_per_label(reference.array, result.labels.array, cascade.plan.labels)["cartilage"] > 0.97


def test_a_whole_image_full_of_false_finds_does_not_win(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    volume, reference = knee(1)
    array = volume.array.copy()
    array[:, reference.array == 2] = GREY[0]
    reference.array[reference.array == 2] = 0
    # a little cartilage where it belongs, much that is as bright in the corners
    for box in (np.s_[22:27, 16:24, 16:28], np.s_[:12, :12, :12], np.s_[-12:, -12:, -12:]):
        array[0][box] = GREY[2]
    for net in cascade.coarse:
        _blind(net, slice(8, 14))
    result = cascade.predict(Volume(array, volume.geometry))
    assert _says(result, "kept the region's answer")
    assert not result.region.whole


def test_after_a_whole_look_the_coarse_stage_decides_far_from_the_targets(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    for stage in (cascade.coarse[0], cascade.fine[0]):
        assert isinstance(stage, GreyNet)
    forward = cascade.fine[0].forward

    def sees_bone_in_the_corner(x: torch.Tensor) -> torch.Tensor:
        logits = forward(x)
        logits[:, 1, :3, :3, :3] = 9
        return logits

    cascade.fine[0].forward = sees_bone_in_the_corner  # type: ignore[method-assign]
    volume, reference = knee(1)
    result = cascade.predict(volume, whole=True)
    dice = dice_per_label(reference.array, result.labels.array, cascade.plan.labels)
    assert dice["cartilage"] > 0.97
    corners = result.labels.array[:3][:, [0, 1, 2, -3, -2, -1]][:, :, [0, 1, 2, -3, -2, -1]]
    assert not corners.any()
    assert result.fine_probabilities is None
    assert result.region.whole


def test_the_whole_image_can_be_asked_for(tmp_path: Path) -> None:
    cascade = _cascade(tmp_path)
    result = cascade.predict(knee(1)[0], whole=True)
    assert result.region.whole
    assert result.flags == ()
    assert isinstance(cascade.fine[0], GreyNet)
    assert cascade.fine[0].sizes == [result.trace.fine_shape_zyx]
