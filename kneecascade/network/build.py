"""From a network plan to a network."""

from __future__ import annotations

from torch import nn

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


def total_stride(plan: NetworkPlan) -> Int3:
    """Voxels (z, y, x) of the input under one voxel of the deepest map."""
    return fit.total_stride(plan.strides)
