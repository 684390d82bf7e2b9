"""What a network costs: multiplications and feature elements of one forward, counted without computing."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kneecascade.core.geometry import Int3


@dataclass(frozen=True)
class Cost:
    """One forward, in the mode the network is in.

    Attributes:
        parameters: trainable numbers.
        macs: multiply-accumulates of all convolutions.
        elements: outputs of all convolutions and BatchNorms, what a training step keeps.
        voxels: voxels of the input, batch included.
    """

    parameters: int
    macs: int
    elements: int
    voxels: int

    @property
    def macs_per_voxel(self) -> float:
        """Multiply-accumulates per voxel of the input."""
        return self.macs / self.voxels


def count_cost(network: nn.Module, in_channels: int, patch_zyx: Int3) -> Cost:
    """Counts by a forward of a copy on torch's "meta" device, which holds shapes and no numbers.

    Costs of other layers (activations, pooling, upsampling) are left out: they are small.
    """
    meta = copy.deepcopy(network).to("meta")
    macs = elements = 0

    def count(module: nn.Module, _: Any, out: torch.Tensor) -> None:
        nonlocal macs, elements
        elements += out.numel()
        if isinstance(module, nn.Conv3d):
            macs += out.numel() * module.weight[0].numel()

    for module in meta.modules():
        if isinstance(module, nn.Conv3d | nn.BatchNorm3d):
            module.register_forward_hook(count)
    with torch.no_grad():
        meta(torch.empty((1, in_channels, *patch_zyx), device="meta"))
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, macs, elements, patch_zyx[0] * patch_zyx[1] * patch_zyx[2])
