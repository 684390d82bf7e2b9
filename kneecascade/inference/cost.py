"""What one forward at inference needs in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from kneecascade.core.plan import NetworkPlan

LIVE_MAPS = 8.0
"""Maps of the width at full resolution that are alive at once, with the convolutions' scratch memory.

Measured as growth of the peak resident memory by one forward of 128^3 voxels on a CPU (torch 2.13, BatchNorm
folded, channels last, single networks of width 16 and 32): FineNet 6.2 to 7.4, ResUNet 6.2 to 7.9.
"""
GB = 1e9


def forward_gb(plan: NetworkPlan, shape_zyx: Sequence[int], dtype: torch.dtype | None) -> float:
    """Estimates the memory of one forward, its probabilities included.

    Args:
        plan: of the network.
        shape_zyx: voxels of the input.
        dtype: the network's precision; None for float32.
    """
    item = (dtype or torch.float32).itemsize
    # Logits twice (as computed, then planar), float32 probabilities of this network, and their sum.
    probabilities = plan.num_classes * (2 * item + 2 * 4)
    return math.prod(shape_zyx) * (LIVE_MAPS * item * _full_width(plan) + probabilities) / GB


def _full_width(plan: NetworkPlan) -> float:
    """Returns the channels at full resolution, or at conv1's where those take more memory."""
    if plan.kind == "resunet":
        return plan.features[0]
    full, half, _ = plan.decoder_features
    return max(full, plan.stem_features, (half + plan.width) / math.prod(plan.strides[0]))
