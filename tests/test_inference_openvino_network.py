"""kneecascade.inference.openvino_network: another engine, the same labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from plans import tiny_plan
from tiny_models import knee
from trained_models import least_dice

from kneecascade import load_model
from kneecascade.cli.predict import main
from kneecascade.errors import MissingExtraError, SettingsError
from kneecascade.files import read_json
from kneecascade.imaging.files import read_labels, write_channel
from kneecascade.inference.cost import forward_gb
from kneecascade.inference.openvino_network import OpenVinoNetwork, choose_place
from kneecascade.network.build import build_network
from kneecascade.network.device import Device
from kneecascade.network.fold import fold_batchnorm

FLOAT32 = Device(torch.device("cpu"), None, "CPU, float32")


@pytest.fixture(scope="module")
def with_openvino() -> Device:
    """OpenVINO is an extra: without it there is nothing to test."""
    try:
        return choose_place("auto", "openvino")
    except MissingExtraError:
        pytest.skip("openvino is not installed")


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_it_computes_what_torch_does_at_any_size(stage: str, with_openvino: Device) -> None:
    torch.manual_seed(0)
    network = fold_batchnorm(build_network(getattr(tiny_plan(channels=("a", "b")), stage).network))
    images = [torch.randn(1, 2, *shape) for shape in ((16, 24, 32), (19, 24, 33), (16, 24, 32))]
    with torch.inference_mode():
        expected = [network(image) for image in images]
        converted = OpenVinoNetwork(network, FLOAT32)
        for image, logits in zip(images, expected, strict=True):
            found = converted(image)
            assert found.shape == logits.shape
            assert torch.allclose(found, logits, atol=1e-5 * float(logits.abs().max()))


def test_labels_of_a_trained_model_agree(trained_balls: Path, with_openvino: Device) -> None:
    image, truth = knee(3)
    torchs = load_model(trained_balls, device="cpu").predict(image).array
    model = load_model(trained_balls, backend="openvino")
    labels = model.predict(image).array
    assert least_dice(labels, truth.array) > 0.8
    assert least_dice(labels, torchs) >= 0.999
    assert isinstance(model.cascade.fine[0], OpenVinoNetwork)


def test_the_command_says_what_computes(tmp_path: Path, trained_balls: Path, with_openvino: Device) -> None:
    image, truth = knee(4)
    write_channel(image.array[0], image.geometry, tmp_path / "knee.nii.gz")
    arguments = ["-i", str(tmp_path / "knee.nii.gz"), "-o", str(tmp_path / "out"), "-m", str(trained_balls)]
    assert main([*arguments, "--backend", "openvino"]) == 0
    told = read_json(tmp_path / "out" / "predictions.json")
    assert told["settings"]["backend"] == "openvino"
    assert told["device"].endswith(", OpenVINO")
    assert least_dice(read_labels(tmp_path / "out" / "knee.nii.gz").array, truth.array) > 0.8


def test_without_openvino_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install kneecascade\[openvino\]"):
        choose_place("auto", "openvino")
    assert choose_place("cpu", "torch").device.type == "cpu"


def test_it_computes_on_the_processor_alone() -> None:
    with pytest.raises(SettingsError, match="not on cuda"):
        choose_place("cuda", "openvino")


def test_a_forward_without_slabs_is_expected_to_take_more_memory() -> None:
    network, shape = tiny_plan().fine.network, (200, 200, 200)
    assert forward_gb(network, shape, None, in_slabs=False) > 1.3 * forward_gb(network, shape, None)
    assert np.isclose(forward_gb(network, (9, 9, 9), None, False), forward_gb(network, (9, 9, 9), None))
