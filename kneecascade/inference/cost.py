"""What one forward at inference needs in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from kneecascade.core.plan import NetworkPlan
from kneecascade.network.slabs import SLAB_VOXELS

LIVE_MAPS = 8.0
"""Maps of the width at full resolution that a ResUNet holds at once, with the convolutions' scratch memory.

Measured as growth of the peak resident memory by one forward of 128^3 voxels on a CPU (torch 2.13, BatchNorm
folded, channels last, width 16 and 32): 6.2 to 7.9.
"""
LIVE_IN_SLAB = 5.0
LIVE_BELOW = 3.0
"""The same for a FineNet, which works in slabs at full resolution: maps of a slab, and of all at conv1's.

With them the estimate is 15 to 60 % above the growth measured in bfloat16 (widths 32 and 64, 1.6 to 16
million voxels), and up to twice that measured in float32.
"""
GB = 1e9


def forward_gb(
    plan: NetworkPlan, shape_zyx: Sequence[int], dtype: torch.dtype | None, in_slabs: bool = True
) -> float:
    """Estimates the memory of one forward, its probabilities included.

    Args:
        plan: of the network.
        shape_zyx: voxels of the input.
        dtype: the network's precision; None for float32.
        in_slabs: whether a FineNet does its full resolution in slabs.
    """
    item, voxels = (dtype or torch.float32).itemsize, math.prod(shape_zyx)
    # Logits, float32 probabilities of this network, and their sum.
    probabilities = voxels * plan.num_classes * (item + 2 * 4)
    return (probabilities + item * _live_values(plan, voxels, SLAB_VOXELS if in_slabs else voxels)) / GB


def _live_values(plan: NetworkPlan, voxels: int, at_once: int) -> float:
    """Returns how many values of feature maps are alive at once."""
    if plan.kind == "resunet":
        return LIVE_MAPS * plan.features[0] * voxels
    full, half, _ = plan.decoder_features
    below = (half + plan.width) * voxels / math.prod(plan.strides[0])
    return LIVE_IN_SLAB * max(full, plan.stem_features) * min(voxels, at_once) + LIVE_BELOW * below
