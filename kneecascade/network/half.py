"""Weights in half precision: half the bytes of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch

KERNEL_AXES = 2
"""BatchNorm and biases, which have fewer axes, stay in full precision: variances may be tiny."""


def halved(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the state with every kernel in float16.

    Args:
        state: of a network, in any float precision.
    """
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim >= KERNEL_AXES else tensor
        for name, tensor in state.items()
    }
