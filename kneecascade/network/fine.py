"""FineNet: MedicalNet encoder, ASPP, decoder to full resolution; the network of the fine stage."""

from __future__ import annotations

import torch
from torch import nn

from kneecascade.core.plan import MedicalNetPlan
from kneecascade.network.aspp import ASPP
from kneecascade.network.blocks import ConvNorm, Merge, initialise
from kneecascade.network.fit import cut_to_input, pad_to_multiple, total_stride
from kneecascade.network.medicalnet import MedicalNet
from kneecascade.network.pointwise import PointwiseConv
from kneecascade.network.slabs import in_slabs

REACH = 4
"""Voxels: two convolutions of the stem, two of the last merge, each of 3x3x3."""


class FineNet(nn.Module):
    """Skips from layer2, layer1, conv1 and a full-resolution stem, two convolutions at each.

    Attributes:
        encoder: the MedicalNet; `pretrained.load_medicalnet` fills it.
        multiple: what every axis is padded to, the product of the encoder's strides.
    """

    def __init__(self, plan: MedicalNetPlan) -> None:
        super().__init__()
        self.multiple = total_stride(plan.strides)
        self.encoder = MedicalNet(plan.depth, plan.in_channels, plan.width, plan.strides, plan.dilations)
        conv1, layer1, layer2, _, layer4 = self.encoder.channels
        stem, deep = plan.stem_features, plan.aspp_channels
        full, half, quarter = plan.decoder_features
        self.stem = nn.Sequential(ConvNorm(plan.in_channels, stem), ConvNorm(stem, stem))
        self.aspp = ASPP(layer4, deep, plan.aspp_rates)
        self.merge_layer2 = Merge(deep, layer2, deep)
        self.merge_layer1 = Merge(deep, layer1, quarter)
        self.merge_conv1 = Merge(quarter, conv1, half)
        self.merge_stem = Merge(half, stem, full)
        self.heads = nn.ModuleList(
            PointwiseConv(n, plan.num_classes, bias=True) for n in (full, half, quarter)
        )
        initialise(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Image to logits.

        Args:
            x: (N, in_channels, Z, Y, X), any size.

        Returns:
            (N, num_classes, Z, Y, X) in eval mode; in train mode a list: that, then the logits
            at conv1's and at layer1's resolution (1/2 and 1/4 with the published strides).
        """
        shape = x.shape[2:]
        x = pad_to_multiple(x, self.multiple)
        if not self.training:
            classes = int(self.heads[0].out_channels)  # type: ignore[arg-type]
            return cut_to_input([in_slabs(self._last, self._deep(x)[0], x, REACH, classes)], shape)[0]
        half, quarter = self._deep(x)
        full = self.merge_stem(half, self.stem(x))
        logits = [head(map_) for head, map_ in zip(self.heads, (full, half, quarter), strict=True)]
        return cut_to_input(logits, shape)

    def _deep(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the decoder's maps at conv1's and at layer1's resolution; the encoder's are let go."""
        conv1, layer1, layer2, _, layer4 = self.encoder(x)
        quarter = self.merge_layer1(self.merge_layer2(self.aspp(layer4), layer2), layer1)
        return self.merge_conv1(quarter, conv1), quarter

    def _last(self, half: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self.heads[0](self.merge_stem(half, self.stem(x)))
