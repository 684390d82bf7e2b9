"""BatchNorm statistics of the final weights, re-estimated on whole training regions.

Inference sees whole regions once, training sees patches of them; averaged over regions, the
statistics fit what they will normalise.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def norms(network: nn.Module) -> list[_BatchNorm]:
    """Returns all BatchNorm layers."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def reestimate(network: nn.Module, images: Iterable[torch.Tensor]) -> int:
    """Replaces running means and variances by their plain average over `images`.

    Args:
        network: left in eval mode; without images it keeps the statistics it has.
        images: (N, C, Z, Y, X) each, on the network's device, in the precision to compute in.

    Returns:
        The number of images used.
    """
    layers = norms(network)
    momenta = [layer.momentum for layer in layers]
    network.train()
    used = 0
    with torch.no_grad():
        for image in images:
            if not used:
                for layer in layers:
                    layer.reset_running_stats()
                    layer.momentum = None  # torch's word for a cumulative average
            network(image)
            used += 1
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
    return used


def mend(network: nn.Module) -> None:
    """Resets statistics that a broken batch made infinite or NaN."""
    for layer in norms(network):
        statistics = (layer.running_mean, layer.running_var)
        if not all(torch.isfinite(s).all() for s in statistics if s is not None):
            layer.reset_running_stats()
