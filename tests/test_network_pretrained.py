"""kneecascade.network.pretrained, on files made like the published ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from kneecascade.errors import CheckpointError
from kneecascade.network.medicalnet import MedicalNet
from kneecascade.network.pretrained import load_medicalnet, medicalnet_depth_of


def publish(network: MedicalNet, path: Path, extra: dict | None = None) -> Path:
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": state | (extra or {})}, path)
    return path


@pytest.fixture(scope="module")
def published_10(tmp_path_factory):
    torch.manual_seed(1)
    network = MedicalNet(10).eval()
    return network, publish(network, tmp_path_factory.mktemp("weights") / "resnet_10.pth")


@pytest.mark.parametrize("depth", [10, 18, 50])
def test_a_published_file_loads_and_computes_the_same(depth, tmp_path):
    torch.manual_seed(0)
    original = MedicalNet(depth).eval()
    path = publish(original, tmp_path / f"resnet_{depth}_23dataset.pth")
    encoder = MedicalNet(depth).eval()
    said = load_medicalnet(encoder, path)
    assert f"MedicalNet-{depth}" in said
    assert path.name in said
    x = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        assert all(torch.equal(a, b) for a, b in zip(encoder(x), original(x), strict=True))
    assert medicalnet_depth_of(path) == depth


def test_equal_channels_give_what_one_gave(published_10):
    original, path = published_10
    encoder = MedicalNet(10, in_channels=3).eval()
    assert "3 channels" in load_medicalnet(encoder, path)
    x = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        assert torch.allclose(encoder(x.repeat(1, 3, 1, 1, 1))[-1], original(x)[-1], atol=1e-4)


def test_a_segmentation_head_and_missing_counters_do_not_matter(published_10, tmp_path):
    state = torch.load(published_10[1], weights_only=True)["state_dict"]
    state = {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}
    path = tmp_path / "old.pth"
    torch.save({"state_dict": state | {"module.conv_seg.0.weight": torch.zeros(2)}}, path)
    assert "MedicalNet-10" in load_medicalnet(MedicalNet(10), path)


def test_the_wrong_depth_is_refused_naming_both(published_10):
    with pytest.raises(CheckpointError, match=r"MedicalNet-10.*MedicalNet-18") as error:
        load_medicalnet(MedicalNet(18, width=4), published_10[1])
    assert "\n" not in str(error.value)


def test_another_width_is_refused(published_10):
    with pytest.raises(CheckpointError, match="width 64"):
        load_medicalnet(MedicalNet(10, width=4), published_10[1])


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_never_runs(tmp_path):
    torch.save({"state_dict": {"module.conv1.weight": Bomb(tmp_path / "boom")}}, tmp_path / "bomb.pth")
    with pytest.raises(CheckpointError, match="refused"):
        medicalnet_depth_of(tmp_path / "bomb.pth")
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("content", [b"", b"not a torch file", b"PK\x03\x04broken"])
def test_a_broken_file_is_named_in_one_line(content, tmp_path):
    (tmp_path / "broken.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.pth") as error:
        medicalnet_depth_of(tmp_path / "broken.pth")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([1, 2], "no state dict"),
        ({"state_dict": {"fc.weight": torch.zeros(1)}}, "no MedicalNet"),
        (
            {"conv1.weight": torch.zeros(1), "layer1.0.conv1.weight": torch.zeros(1)},
            "no published MedicalNet",
        ),
    ],
)
def test_other_networks_are_refused(data, said, tmp_path):
    torch.save(data, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=said):
        medicalnet_depth_of(tmp_path / "other.pth")


def test_shortcuts_of_the_other_kind_are_refused(published_10, tmp_path):
    state = torch.load(published_10[1], weights_only=True)["state_dict"]
    kept = {n: t for n, t in state.items() if "downsample" not in n}
    torch.save({"state_dict": kept}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="downsample"):
        load_medicalnet(MedicalNet(10), tmp_path / "a.pth")


def test_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        medicalnet_depth_of(tmp_path / "none.pth")
