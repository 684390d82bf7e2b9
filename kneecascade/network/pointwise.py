"""A 1x1x1 convolution whose gradients keep the channels last, as the maps around it have them."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class PointwiseConv(nn.Conv3d):
    """A Conv3d of kernel 1, as a matrix product where a network is trained in float32 on a CPU.

    torch computes such a convolution on one thread without oneDNN; its gradient has the channels first, and
    every layer before it then works on maps of two memory orders. The state dict is that of the Conv3d.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int | tuple[int, int, int] = 1, bias: bool = False
    ) -> None:
        super().__init__(in_channels, out_channels, 1, stride, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, Z, Y, X) -> (N, out_channels, ceil(Z/stride), ...)."""
        if not self.training or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        z, y, w = self.stride
        last = x[:, :, ::z, ::y, ::w].permute(0, 2, 3, 4, 1)
        return functional.linear(last, self.weight.flatten(1), self.bias).permute(0, 4, 1, 2, 3)
