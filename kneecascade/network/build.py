"""From a network plan to a network."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import NetworkPlan
from kneecascade.network import fit
from kneecascade.network.fine import FineNet
from kneecascade.network.resunet import ResUNet


def build_network(plan: NetworkPlan) -> nn.Module:
    """Returns a new network with random weights, in train mode.

    In train mode it maps an image (N, C, Z, Y, X) of any size to a list of logits, full
    resolution first, then coarser; in eval mode to the full-resolution logits alone.
    """
    return ResUNet(plan) if plan.kind == "resunet" else FineNet(plan)


def build_unfilled(plan: NetworkPlan) -> nn.Module:
    """Returns a new network whose weights hold anything, to be loaded: no random number is drawn.

    A network on torch's "meta" device would do, but initialising there loads a second of further modules.
    """
    with _Undrawn():
        return build_network(plan)


DRAWING = {
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.kaiming_uniform_,
    torch.Tensor.uniform_,
    torch.Tensor.normal_,
}


class _Undrawn(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if func in DRAWING:
            return given["tensor"] if "tensor" in given else args[0]
        return func(*args, **given)


def total_stride(plan: NetworkPlan) -> Int3:
    """Voxels (z, y, x) of the input under one voxel of the deepest map."""
    return fit.total_stride(plan.strides)
