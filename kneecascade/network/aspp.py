"""ASPP: the same features seen through several dilation rates at once (DeepLab v3, Chen et al. 2017)."""

from __future__ import annotations

import torch
from torch import nn

from kneecascade.core.geometry import Int3
from kneecascade.network.blocks import ConvNorm


class ASPP(nn.Module):
    """Parallel branches, concatenated and projected.

    Rate (1, 1, 1) is a 1x1x1 branch, any other a 3x3x3 branch of that dilation per axis. No
    image pooling: the output would depend on the extent of the input.
    """

    def __init__(self, in_channels: int, channels: int, rates: tuple[Int3, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            ConvNorm(in_channels, channels, (1, 1, 1) if rate == (1, 1, 1) else (3, 3, 3), dilation=rate)
            for rate in rates
        )
        self.project = ConvNorm(channels * len(rates), channels, (1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, Z, Y, X) -> (N, channels, Z, Y, X)."""
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))
