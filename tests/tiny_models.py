"""A cascade whose networks compare grey values: it segments test images without any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plans import blob_labels, tiny_geometry, tiny_plan
from torch import nn

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry, Int3
from kneecascade.core.plan import CascadePlan, NetworkPlan
from kneecascade.inference import stage
from kneecascade.inference.folds import weights_file
from kneecascade.network.checkpoint import save_weights
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.transform import prepare

SHAPE: Int3 = (36, 40, 44)
GREY = np.array([20.0, 60.0, 110.0], dtype=np.float32)


class GreyNet(nn.Module):
    """Logits fall with the squared distance of a voxel's grey value from each class's."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(plan.num_classes))
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(tuple(x.shape[2:]))
        distance = x[:, :1] - self.centres[None, :, None, None, None]
        return -20 * distance**2


def knee(seed: int, geometry: Geometry | None = None, shift: Int3 = (0, 0, 0)) -> tuple[Volume, LabelVolume]:
    """Returns an image and its labels: a grey ball of bone, a bright cap of cartilage, some noise."""
    geometry = geometry or tiny_geometry(SHAPE)
    labels = np.roll(blob_labels(geometry.shape_zyx, geometry.spacing_mm), shift, axis=(0, 1, 2))
    noise = np.random.default_rng(seed).normal(0, 1, labels.shape).astype(np.float32)
    return Volume((GREY[labels] + noise)[None], geometry), LabelVolume(labels, geometry)


def knee_plan(**region: Any) -> CascadePlan:
    """Returns a plan that knows how large `knee` is: 3.5 ml of cartilage in a box of 13 x 27 x 27 mm."""
    plan = tiny_plan()
    sizes = {
        "min_volume_mm3": (2500.0,),
        "max_volume_mm3": (4500.0,),
        "min_component_mm3": (100.0,),
        "max_extent_mm": (20.0, 32.0, 32.0),
    }
    return replace(plan, region=replace(plan.region, **sizes | region))


def use_grey_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every plan's networks be `GreyNet`."""
    monkeypatch.setattr(stage, "build_network", GreyNet)


def save_grey_model(
    folder: Path, plan: CascadePlan | None = None, folds: Sequence[int] = (0,), shift: float = 0.0
) -> Path:
    """Writes a model folder of `GreyNet`s; `shift` moves all grey values of fold k by k times itself."""
    plan = plan or tiny_plan()
    volume, labels = knee(100)
    native = prepare(volume, plan, "training").native[0]
    turned = labels.array  # the test geometry is canonical up to flips of X and Y
    grey = [float(np.median(np.sort(native.ravel())[_ranks(turned, k)])) for k in range(3)]
    for fold in folds:
        net = GreyNet(plan.coarse.network)
        net.centres.data = torch.tensor(grey) + shift * fold
        for name in ("coarse", "fine"):
            save_weights(weights_file(folder / f"fold_{fold}", name), net, {})  # type: ignore[arg-type]
        write_plan(plan, folder / f"fold_{fold}" / "plan.json")
    return folder


def _ranks(labels: np.ndarray, k: int) -> slice:
    """Returns the ranks that class k's voxels have among sorted grey values."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(labels.ravel(), minlength=3))])
    return slice(int(ends[k]), int(ends[k + 1]))
