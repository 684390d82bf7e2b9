"""kneecascade.network.medicalnet, against the published architecture."""

from __future__ import annotations

import pytest
import torch

from kneecascade.errors import PlanError
from kneecascade.network.medicalnet import DEPTHS, MedicalNet, ShortcutA

PUBLISHED_MILLIONS = {10: 14.4, 18: 33.0, 34: 63.3, 50: 46.2, 101: 85.3, 152: 117.5, 200: 126.7}


def on_meta(depth: int, **arguments) -> MedicalNet:
    with torch.device("meta"):
        return MedicalNet(depth, **arguments)


def shapes(depth: int) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in on_meta(depth).state_dict().items()}


@pytest.mark.parametrize("depth", DEPTHS)
def test_size_as_published(depth):
    # The published counts are of the numbers in the file, BatchNorm's running statistics included.
    numbers = [t.numel() for n, t in on_meta(depth).state_dict().items() if not n.endswith("tracked")]
    assert round(sum(numbers) / 1e6, 1) == PUBLISHED_MILLIONS[depth]


def test_names_and_shapes_of_depth_10():
    found = shapes(10)
    assert found["conv1.weight"] == (64, 1, 7, 7, 7)
    assert found["bn1.running_mean"] == (64,)
    assert found["layer1.0.conv2.weight"] == (64, 64, 3, 3, 3)
    assert found["layer2.0.downsample.0.weight"] == (128, 64, 1, 1, 1)
    assert found["layer4.0.downsample.1.bias"] == (512,)
    assert not any(name.startswith(("layer1.0.downsample", "layer1.1")) or "conv3" in name for name in found)


@pytest.mark.parametrize("depth", [18, 34])
def test_shortcut_a_has_no_parameters(depth):
    assert not any("downsample" in name for name in shapes(depth))


def test_names_and_shapes_of_depth_50():
    found = shapes(50)
    assert found["layer1.0.conv3.weight"] == (256, 64, 1, 1, 1)
    assert found["layer1.0.downsample.0.weight"] == (256, 64, 1, 1, 1)
    assert found["layer3.5.conv2.weight"] == (256, 256, 3, 3, 3)
    assert found["layer4.2.bn3.weight"] == (2048,)


@pytest.mark.parametrize("depth", [10, 50])
def test_layers_3_and_4_dilate_instead_of_striding(depth):
    network = on_meta(depth)
    for layer, dilation in (
        (network.layer1, 1),
        (network.layer2, 1),
        (network.layer3, 2),
        (network.layer4, 4),
    ):
        convs = [m for m in layer.modules() if isinstance(m, torch.nn.Conv3d) and m.kernel_size == (3, 3, 3)]
        assert {(m.dilation[0], m.padding[0]) for m in convs} == {(dilation, dilation)}
    with_stride = [n for n, m in network.named_modules() if getattr(m, "stride", 1) == (2, 2, 2)]
    assert with_stride[0] == "conv1"
    assert all(name in ("conv1", "maxpool") or name.startswith("layer2.0.") for name in with_stride)


@pytest.mark.parametrize("depth", [10, 18, 50])
def test_maps_lie_at_output_stride_8(depth):
    network = MedicalNet(depth, in_channels=2, width=4)
    maps = network(torch.randn(2, 2, 32, 32, 24))
    assert [m.shape[1] for m in maps] == list(network.channels)
    assert [tuple(m.shape[2:]) for m in maps] == [(16, 16, 12), (8, 8, 6), *[(4, 4, 3)] * 3]


def test_odd_sizes_round_up():
    for depth in (10, 18):
        maps = MedicalNet(depth, width=4)(torch.randn(2, 1, 17, 33, 25))
        assert [tuple(m.shape[2:]) for m in maps[:3]] == [(9, 17, 13), (5, 9, 7), (3, 5, 4)]


def test_strides_may_differ_per_axis():
    network = MedicalNet(18, width=4, strides=((1, 2, 2), (1, 1, 1), (1, 2, 2)))
    maps = network(torch.randn(2, 1, 5, 16, 16))
    assert [tuple(m.shape[2:]) for m in maps] == [(5, 8, 8), (5, 8, 8), *[(5, 4, 4)] * 3]


def test_shortcut_a_subsamples_and_lets_the_gradient_pass():
    x = torch.randn(1, 2, 4, 5, 4, requires_grad=True)
    out = ShortcutA(3, (1, 2, 2))(x)
    pooled = torch.nn.functional.avg_pool3d(x, 1, (1, 2, 2))
    assert torch.equal(out, torch.cat([pooled, torch.zeros(1, 3, 4, 3, 2)], dim=1))
    out.sum().backward()
    assert x.grad is not None
    assert float(x.grad.sum()) == 2 * 4 * 3 * 2


def test_unknown_depth_is_refused():
    with pytest.raises(PlanError, match="MedicalNet-11"):
        MedicalNet(11)
