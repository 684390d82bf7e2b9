"""The cascade as plain as torch allows: what every speed-up is held against.

float32, BatchNorm as trained, torch's own memory layout; the steps around the networks are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from kneecascade.core.plan import StagePlan
from kneecascade.core.settings import DeviceName
from kneecascade.inference.cascade import Cascade, load_folds
from kneecascade.inference.folds import weights_file
from kneecascade.inference.stage import Limits
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_into
from kneecascade.network.device import Device
from kneecascade.planning.plan_file import read_plan


def plain_cascade(
    fold_folders: Sequence[Path],
    device: DeviceName = "auto",
    limits: Limits | None = None,
    tta: bool = False,
) -> Cascade:
    """Loads folds as `load_folds` does, their networks untouched and in float32.

    Raises:
        CheckpointError: a fold is not trained, its weights are broken, or folds do not fit together.
    """
    fast = load_folds(fold_folders, device, limits, tta)
    place = fast.device.device
    plain = Device(place, None, f"{place.type}, plain float32")
    pairs = [(folder, read_plan(folder / "plan.json")) for folder in fold_folders]
    return replace(
        fast,
        coarse=[_plain(weights_file(folder, "coarse"), plan.coarse, plain) for folder, plan in pairs],
        fine=[_plain(weights_file(folder, "fine"), plan.fine, plain) for folder, plan in pairs],
        device=plain,
    )


class _Planar(nn.Module):
    """Hands an image on in torch's own memory layout."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x.clone(memory_format=torch.contiguous_format))


def _plain(path: Path, plan: StagePlan, device: Device) -> nn.Module:
    network = build_network(plan.network)
    load_into(network, path)
    return _Planar(network.eval().requires_grad_(False).to(device.device))
