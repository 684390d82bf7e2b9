"""Building blocks of the networks: normalised convolutions, residual blocks, upsampling.

Registration order is call order in every block, which `fold` relies on.
"""

from __future__ import annotations

import torch
from torch import nn

from kneecascade.core.geometry import Int3
from kneecascade.network.joining import JoiningConv
from kneecascade.network.pointwise import PointwiseConv


class ConvNorm(nn.Sequential):
    """Convolution, BatchNorm and, unless `activate` is false, ReLU; "same" size at stride 1."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Int3 = (3, 3, 3),
        stride: Int3 = (1, 1, 1),
        dilation: Int3 = (1, 1, 1),
        activate: bool = True,
    ) -> None:
        conv = _conv(in_channels, out_channels, kernel, stride, dilation)
        parts: list[nn.Module] = [conv, nn.BatchNorm3d(out_channels)]
        super().__init__(*parts, *([nn.ReLU(inplace=True)] if activate else []))


class ResidualBlock(nn.Module):
    """conv-BN-ReLU-conv-BN plus a skip; a 1x1x1 conv-BN skip where the shape changes."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Int3, stride: Int3 = (1, 1, 1)) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, kernel, stride)
        self.second = ConvNorm(out_channels, out_channels, kernel, activate=False)
        same = in_channels == out_channels and stride == (1, 1, 1)
        self.skip = nn.Identity() if same else _skip(in_channels, out_channels, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in, Z, Y, X) -> (N, out, ceil(Z/stride), ...)."""
        return self.relu(self.second(self.first(x)) + self.skip(x))


class Merge(nn.Module):
    """One decoder level: brings the deeper map to the skip's size, joins both, convolves twice.

    The channels are reduced before the map is enlarged, and it is enlarged by repetition: the
    cheapest of repetition, trilinear and transposed convolution in a training step.
    """

    def __init__(
        self, deep_channels: int, skip_channels: int, channels: int, kernel: Int3 = (3, 3, 3)
    ) -> None:
        super().__init__()
        self.reduce = PointwiseConv(deep_channels, channels)
        z, y, x = (k // 2 for k in kernel)
        join = JoiningConv(channels + skip_channels, channels, kernel, padding=(z, y, x), bias=False)
        first = nn.Sequential(join, nn.BatchNorm3d(channels), nn.ReLU(inplace=True))
        self.convs = nn.Sequential(first, ConvNorm(channels, channels, kernel))

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """(N, deep, z, y, x) and (N, skip, Z, Y, X) -> (N, channels, Z, Y, X)."""
        join, norm, relu = self.convs[0].children()
        return self.convs[1](relu(norm(join(self.reduce(deep), skip))))


def initialise(network: nn.Module) -> None:
    """Kaiming initialisation (He et al. 2015, fan-out) of convolutions; BatchNorm to the identity.

    Only heads have a bias; they start small here, and training starts them anew (`training.heads`).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv3d) and module.bias is not None:
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm3d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def _conv(in_channels: int, out_channels: int, kernel: Int3, stride: Int3, dilation: Int3) -> nn.Conv3d:
    if kernel == (1, 1, 1):
        return PointwiseConv(in_channels, out_channels, stride)
    z, y, x = (d * (k // 2) for k, d in zip(kernel, dilation, strict=True))
    return nn.Conv3d(in_channels, out_channels, kernel, stride, (z, y, x), dilation, bias=False)


def _skip(in_channels: int, out_channels: int, stride: Int3) -> ConvNorm:
    return ConvNorm(in_channels, out_channels, (1, 1, 1), stride, activate=False)
