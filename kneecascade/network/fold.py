"""BatchNorm folded into the convolution before it, for inference."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def fold_batchnorm(network: nn.Module) -> nn.Module:
    """Returns an eval copy that computes the same with fewer passes over memory.

    Every BatchNorm registered right after a convolution in the same module is folded into it:
    in this project's networks, all of them, since registration order is call order.
    """
    return fold_in_place(copy.deepcopy(network))


def fold_in_place(network: nn.Module) -> nn.Module:
    """Does what `fold_batchnorm` does to the network itself; returns it, in eval mode."""
    for module in list(network.eval().modules()):
        children = list(module.named_children())
        for (_, conv), (name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d):
                _fold(conv, norm)
                setattr(module, name, nn.Identity())
    return network


def _fold(conv: nn.Conv3d, norm: nn.BatchNorm3d) -> None:
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a BatchNorm without statistics cannot be folded")
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
