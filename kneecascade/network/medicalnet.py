"""MedicalNet: the 3D ResNet encoder of Med3D (Chen et al. 2019) at output stride 8.

Written from the published description; module names equal the published state dict's, so the
published weights load: conv1, bn1, layer{1-4}.{i}.{conv1,bn1,conv2,bn2[,conv3,bn3][,downsample]}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from kneecascade.core.geometry import Int3
from kneecascade.errors import PlanError
from kneecascade.network.blocks import initialise
from kneecascade.network.pointwise import PointwiseConv

ONE: Int3 = (1, 1, 1)
PUBLISHED_STRIDES: tuple[Int3, Int3, Int3] = ((2, 2, 2), (2, 2, 2), (2, 2, 2))


@dataclass(frozen=True)
class Depth:
    """What a MedicalNet depth means.

    Attributes:
        block: "basic" (two 3x3x3 convolutions) or "bottleneck" (1x1x1, 3x3x3, 1x1x1 to four times the width).
        blocks: residual blocks of layer1 to layer4.
        shortcut: "A" (subsampling and zero channels, no parameters) or "B" (1x1x1 convolution and BatchNorm).
    """

    block: Literal["basic", "bottleneck"]
    blocks: tuple[int, int, int, int]
    shortcut: Literal["A", "B"]

    @property
    def expansion(self) -> int:
        """Output channels of a block over its width."""
        return 4 if self.block == "bottleneck" else 1


DEPTHS = {
    10: Depth("basic", (1, 1, 1, 1), "B"),
    18: Depth("basic", (2, 2, 2, 2), "A"),
    34: Depth("basic", (3, 4, 6, 3), "A"),
    50: Depth("bottleneck", (3, 4, 6, 3), "B"),
    101: Depth("bottleneck", (3, 4, 23, 3), "B"),
    152: Depth("bottleneck", (3, 8, 36, 3), "B"),
    200: Depth("bottleneck", (3, 24, 36, 3), "B"),
}


class MedicalNet(nn.Module):
    """The published encoder; strides, dilations and width may differ where no weights are loaded.

    Args:
        depth: 10, 18, 34, 50, 101, 152 or 200.
        in_channels: image channels; 1 as published.
        width: channels of conv1 and of layer1's blocks; 64 as published, 128, 256 and 512 follow.
        strides: (z, y, x) strides of conv1, of the max-pool and of layer2.
        dilations: of every 3x3x3 convolution in layer3 and in layer4.

    Attributes:
        channels: channels of the five feature maps.

    Raises:
        PlanError: no such depth.
    """

    def __init__(
        self,
        depth: int,
        in_channels: int = 1,
        width: int = 64,
        strides: tuple[Int3, Int3, Int3] = PUBLISHED_STRIDES,
        dilations: tuple[int, int] = (2, 4),
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise PlanError(f"MedicalNet-{depth}: no such depth; choose one of {', '.join(map(str, DEPTHS))}")
        self.depth, self.width = depth, width
        kind = DEPTHS[depth]
        widths = [width * 2**k for k in range(4)]
        self.channels = (width, *(w * kind.expansion for w in widths))
        self.conv1 = nn.Conv3d(in_channels, width, 7, strides[0], padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d(3, strides[1], padding=1)
        self.layer1 = _layer(kind, 0, width, widths[0], ONE, 1)
        self.layer2 = _layer(kind, 1, self.channels[1], widths[1], strides[2], 1)
        self.layer3 = _layer(kind, 2, self.channels[2], widths[2], ONE, dilations[0])
        self.layer4 = _layer(kind, 3, self.channels[3], widths[3], ONE, dilations[1])
        initialise(self)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Image to feature maps.

        Args:
            x: (N, in_channels, Z, Y, X).

        Returns:
            Five maps: conv1 (after BatchNorm and ReLU, before the max-pool), layer1, layer2,
            layer3, layer4; with the published strides at 1/2, 1/4, 1/8, 1/8, 1/8, rounded up.
        """
        maps = [self.relu(self.bn1(self.conv1(x)))]
        deep = self.maxpool(maps[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            deep = layer(deep)
            maps.append(deep)
        return maps


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions and a shortcut; the first carries the stride."""

    def __init__(
        self, in_channels: int, width: int, stride: Int3, dilation: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1 = _conv3(in_channels, width, stride, dilation)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = _conv3(width, width, ONE, dilation)
        self.bn2 = nn.BatchNorm3d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, Z, Y, X) -> (N, width, ceil(Z/stride), ...)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1x1, 3x3x3 (stride, dilation), 1x1x1 to four times the width, and a shortcut."""

    def __init__(
        self, in_channels: int, width: int, stride: Int3, dilation: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1 = PointwiseConv(in_channels, width)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = _conv3(width, width, stride, dilation)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3 = PointwiseConv(width, 4 * width)
        self.bn3 = nn.BatchNorm3d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, Z, Y, X) -> (N, 4 width, ceil(Z/stride), ...)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ShortcutA(nn.Module):
    """Every stride-th voxel (average-pool of kernel 1) and zeros for the new channels.

    The original cuts the gradient here; this one lets it pass, the forward is the same.
    """

    def __init__(self, new_channels: int, stride: Int3) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, Z, Y, X) -> (N, C + new_channels, ceil(Z/stride), ...)."""
        z, y, w = self.stride
        x = x[:, :, ::z, ::y, ::w]
        return functional.pad(x, (0, 0, 0, 0, 0, 0, 0, self.new_channels))


def _conv3(in_channels: int, out_channels: int, stride: Int3, dilation: int) -> nn.Conv3d:
    return nn.Conv3d(in_channels, out_channels, 3, stride, dilation, dilation, bias=False)


def _layer(
    kind: Depth, index: int, in_channels: int, width: int, stride: Int3, dilation: int
) -> nn.Sequential:
    block = BasicBlock if kind.block == "basic" else Bottleneck
    out_channels = width * kind.expansion
    first = block(in_channels, width, stride, dilation, _shortcut(kind, in_channels, out_channels, stride))
    rest = [block(out_channels, width, ONE, dilation, None) for _ in range(kind.blocks[index] - 1)]
    return nn.Sequential(first, *rest)


def _shortcut(kind: Depth, in_channels: int, out_channels: int, stride: Int3) -> nn.Module | None:
    # Channels change wherever the stride is not 1, and in every layer but layer1 of basic blocks.
    if in_channels == out_channels:
        return None
    if kind.shortcut == "A":
        return ShortcutA(out_channels - in_channels, stride)
    conv = PointwiseConv(in_channels, out_channels, stride)
    return nn.Sequential(conv, nn.BatchNorm3d(out_channels))
