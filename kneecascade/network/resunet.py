"""ResUNet: the residual encoder-decoder of the coarse stage."""

from __future__ import annotations

import torch
from torch import nn

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import ResUNetPlan
from kneecascade.network.blocks import ConvNorm, Merge, ResidualBlock, initialise
from kneecascade.network.fit import cut_to_input, pad_to_multiple, total_stride
from kneecascade.network.pointwise import PointwiseConv

HEADS = 3
"""Resolutions with a loss of their own: full and the next two."""


class ResUNet(nn.Module):
    """Residual blocks down, two convolutions a level up, skips by concatenation.

    Attributes:
        multiple: what every axis is padded to, the product of the strides.
    """

    def __init__(self, plan: ResUNetPlan) -> None:
        super().__init__()
        features, kernels = plan.features, plan.kernels
        self.multiple = total_stride(plan.strides)
        self.stem = ConvNorm(plan.in_channels, features[0], kernels[0])
        before = (features[0], *features[:-1])
        self.encoder = nn.ModuleList(
            _level(before[k], features[k], plan.blocks[k], kernels[k], plan.strides[k])
            for k in range(len(features))
        )
        upwards = range(len(features) - 2, -1, -1)
        self.decoder = nn.ModuleList(
            Merge(features[k + 1], features[k], features[k], kernels[k]) for k in upwards
        )
        levels = range(max(1, min(HEADS, len(features) - 1)))
        self.heads = nn.ModuleList(PointwiseConv(features[k], plan.num_classes, bias=True) for k in levels)
        initialise(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Image to logits.

        Args:
            x: (N, in_channels, Z, Y, X), any size.

        Returns:
            (N, num_classes, Z, Y, X) in eval mode; in train mode a list of logits, that first,
            then those of the next coarser levels (ceil(Z/2) ...), at most three in all.
        """
        shape = x.shape[2:]
        maps = []
        deep = self.stem(pad_to_multiple(x, self.multiple))
        for level in self.encoder:
            deep = level(deep)
            maps.append(deep)
        grown = [maps.pop()]
        for level, skip in zip(self.decoder, reversed(maps), strict=True):
            grown.append(level(grown[-1], skip))
        heads = self.heads if self.training else self.heads[:1]
        logits = [head(map_) for head, map_ in zip(heads, reversed(grown), strict=False)]
        logits = cut_to_input(logits, shape)
        return logits if self.training else logits[0]


def _level(in_channels: int, channels: int, blocks: int, kernel: Int3, stride: Int3) -> nn.Sequential:
    first = ResidualBlock(in_channels, channels, kernel, stride)
    return nn.Sequential(first, *(ResidualBlock(channels, channels, kernel) for _ in range(blocks - 1)))
