from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from plans import tiny_medicalnet, tiny_plan, tiny_resunet
from tiny_models import GreyNet

from kneecascade.core.plan import NetworkPlan
from kneecascade.errors import CheckpointError
from kneecascade.inference.cost import forward_gb
from kneecascade.inference.stage import Limits, load_stage, mirrorings, predict_stage, ready
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.network.device import Device

FLOAT = Device(torch.device("cpu"), None, "CPU, float32")
TILES = Limits(memory_limit_gb=0.0)
PLAN = tiny_plan()


def _grey(centres: list[float]) -> GreyNet:
    net = GreyNet(PLAN.fine.network)
    net.centres.data = torch.tensor(centres, dtype=torch.float32)
    net.requires_grad_(False)
    return net.eval()


def _image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 20, 22, 27)).astype(np.float32)


def test_probabilities_are_averaged_over_folds() -> None:
    image = _image()
    nets = [_grey([-1, 0, 1]), _grey([1, 0, 0.9])]
    both = predict_stage(nets, image, PLAN.fine, FLOAT, Limits())
    each = [predict_stage([net], image, PLAN.fine, FLOAT, Limits()) for net in nets]
    assert both.dtype == np.float32
    assert both.shape == (3, *image.shape[1:])
    assert np.allclose(both, np.mean(each, axis=0), atol=1e-6)
    assert np.allclose(both.sum(axis=0), 1, atol=1e-5)
    logits = np.stack([-20 * (image[0] - c) ** 2 for c in (-1, 0, 1)])
    assert np.array_equal(each[0].argmax(axis=0), logits.argmax(axis=0))


def test_tiles_are_used_above_the_limit_and_say_the_same() -> None:
    net = _grey([-1, 0, 1])
    whole = predict_stage([net], _image(), PLAN.fine, FLOAT, Limits())
    assert net.sizes == [(20, 22, 27)]
    tiles = predict_stage([net], _image(), PLAN.fine, FLOAT, TILES)
    assert set(net.sizes[1:]) == {PLAN.fine.patch_shape_zyx}
    assert len(net.sizes) > 2
    assert np.allclose(whole, tiles, atol=1e-5)


class SidedNet(GreyNet):
    """Believes in class 1 on the side where x is small, whatever it sees there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = super().forward(x)
        logits[:, 1, :, :, : x.shape[-1] // 2] += 5
        return logits


def test_mirroring_is_undone_and_averaged_along_the_given_axes_alone() -> None:
    net = SidedNet(PLAN.fine.network).requires_grad_(False)
    net.centres.data = torch.tensor([-1.0, 0.0, 1.0])
    image = _image()
    image[..., 14:] = image[..., :13][..., ::-1]  # symmetric but for the middle
    plain, mirrored, upside_down = (
        predict_stage([net], image, PLAN.fine, FLOAT, Limits(), axes) for axes in ((), (2,), (0,))
    )
    assert len(net.sizes) == 1 + 2 + 2
    assert np.allclose(mirrored, mirrored[..., ::-1], atol=1e-6)
    assert np.allclose(mirrored, (plain + plain[..., ::-1]) / 2, atol=1e-6)
    assert np.allclose(upside_down, plain, atol=1e-6)
    assert not np.allclose(plain, plain[..., ::-1], atol=0.1)


def test_every_set_of_axes_is_mirrored_once() -> None:
    assert list(mirrorings(())) == [()]
    assert list(mirrorings((0, 2))) == [(), (0,), (2,), (0, 2)]
    assert len(set(mirrorings((0, 1, 2)))) == 8


def test_tiles_are_used_when_a_gpu_is_full() -> None:
    class Full(GreyNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[-1] > 16:
                raise torch.cuda.OutOfMemoryError("full")
            return super().forward(x)

    net = Full(PLAN.fine.network).requires_grad_(False)
    assert predict_stage([net], _image(), PLAN.fine, FLOAT, Limits()).shape == (3, 20, 22, 27)


@pytest.mark.parametrize("kind", [tiny_resunet, tiny_medicalnet])
def test_a_loaded_network_computes_what_was_trained(tmp_path: Path, kind: Callable[[], NetworkPlan]) -> None:
    plan = replace(PLAN.fine, network=kind())
    torch.manual_seed(0)
    network = build_network(plan.network)
    image = _image()
    with torch.no_grad():
        network(torch.from_numpy(image)[None])  # moves the BatchNorm statistics off their start
        save_weights(tmp_path / "model.safetensors", network, {})
        expected = network.eval()(torch.from_numpy(image)[None])[0].softmax(dim=0)
    loaded = load_stage(tmp_path / "model.safetensors", plan, FLOAT)
    found = predict_stage([loaded], image, plan, FLOAT, Limits())
    assert np.allclose(found, expected.numpy(), atol=1e-4)


def test_half_precision_stays_close() -> None:
    torch.manual_seed(0)
    network = build_network(PLAN.fine.network).eval()
    half = Device(torch.device("cpu"), torch.bfloat16, "CPU, bfloat16")
    a, b = (predict_stage([ready(network, d)], _image(), PLAN.fine, d, Limits()) for d in (FLOAT, half))
    assert next(ready(network, half).parameters()).dtype == torch.bfloat16
    assert np.abs(a - b).max() < 0.05


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "model.safetensors", build_network(tiny_resunet()), {})
    with pytest.raises(CheckpointError):
        load_stage(tmp_path / "model.safetensors", PLAN.fine, FLOAT)


def test_cost_grows_with_voxels_width_and_precision() -> None:
    narrow, shape = tiny_resunet(), (64, 64, 64)
    wide = replace(narrow, features=(8, 8, 12))
    assert forward_gb(narrow, (128, 64, 64), None) == pytest.approx(2 * forward_gb(narrow, shape, None))
    assert forward_gb(wide, shape, None) > forward_gb(narrow, shape, None)
    assert forward_gb(narrow, shape, torch.bfloat16) < forward_gb(narrow, shape, None)
    assert forward_gb(tiny_medicalnet(), shape, None) > 0
