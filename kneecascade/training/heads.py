"""How the output layers of a network start."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import nn

from kneecascade.network.fine import FineNet
from kneecascade.network.resunet import ResUNet
from kneecascade.training.patches import PatchSource

PATCHES = 32
RAREST = 1e-4


def label_frequencies(source: PatchSource, classes: int, seed: tuple[int, ...]) -> np.ndarray:
    """Returns the share of voxels of each class in some training patches; they sum to 1."""
    counts = np.zeros(classes)
    for k in range(PATCHES):
        counts += np.bincount(source.batch(1, (*seed, k))["label"].ravel(), minlength=classes)
    return counts / counts.sum()


def start_heads(network: nn.Module, frequencies: np.ndarray, known: tuple[int, ...] = ()) -> None:
    """Draws the heads' weights anew and lets them predict how frequent each class is.

    Args:
        network: changed in place.
        frequencies: share of voxels of each class.
        known: classes whose weights stay as they are.

    Heads that start near zero left similar classes merged for hundreds of steps; a bias at the log
    of the frequency (Lin et al. 2017, focal loss) spares the steps that would learn just that.
    """
    bias = torch.from_numpy(np.log(np.maximum(frequencies, RAREST))).float()
    if isinstance(network, FineNet | ResUNet):
        for head in network.heads:
            conv = cast(nn.Conv3d, head)
            kept = {name: p.detach()[list(known)].clone() for name, p in conv.named_parameters()}
            conv.reset_parameters()
            with torch.no_grad():
                if conv.bias is not None:
                    conv.bias.copy_(bias - bias.mean())
                for name, parameter in conv.named_parameters():
                    parameter[list(known)] = kept[name]
