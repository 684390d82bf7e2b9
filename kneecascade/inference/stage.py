"""One stage of the cascade: its networks, one per fold, and their mean probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kneecascade.core.plan import StagePlan
from kneecascade.inference.cost import forward_gb
from kneecascade.inference.window import tiled_mean
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_into
from kneecascade.network.device import Device
from kneecascade.network.fold import fold_batchnorm


@dataclass(frozen=True)
class Limits:
    """How much memory one forward may take, and how tiles overlap where it would take more.

    Attributes:
        memory_limit_gb: above this estimate the stage works in tiles.
        step_size: step from tile to tile over the tile's edge.
    """

    memory_limit_gb: float = 6.0
    step_size: float = 0.5


def load_stage(path: Path, plan: StagePlan, device: Device) -> nn.Module:
    """Returns a trained network ready to predict: BatchNorm folded, in the device's precision.

    Raises:
        CheckpointError: the weights are missing, broken or of another network.
    """
    network = build_network(plan.network)
    load_into(network, path)
    return ready(network, device)


def ready(network: nn.Module, device: Device) -> nn.Module:
    """Returns an eval copy on the device, BatchNorm folded, channels last, without gradients."""
    folded = fold_batchnorm(network).requires_grad_(False)
    folded.to(device=device.device, dtype=device.autocast)
    return folded.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


def predict_stage(
    networks: Sequence[nn.Module], image: np.ndarray, plan: StagePlan, device: Device, limits: Limits
) -> np.ndarray:
    """Returns the mean of the networks' softmax probabilities.

    One forward a network where the estimate stays within the limit, else Gaussian-weighted tiles of the
    size of the training patch; tiles as well where a GPU runs out of memory.

    Args:
        networks: one a fold, as `ready` returns them.
        image: float32 (C, Z, Y, X), normalised.
        plan: of the stage; its network says what a forward costs.
        device: where the networks lie.
        limits: memory and overlap.

    Returns:
        float32 (K, Z, Y, X).
    """
    tensor = torch.from_numpy(np.ascontiguousarray(image))

    def predict(part: torch.Tensor) -> torch.Tensor:
        return _mean_probabilities(networks, part, device)

    with torch.inference_mode():
        if forward_gb(plan.network, image.shape[1:], device.autocast) <= limits.memory_limit_gb:
            try:
                return predict(tensor).cpu().numpy()
            except torch.cuda.OutOfMemoryError:
                torch.cuda.empty_cache()
        classes, tile = plan.network.num_classes, plan.patch_shape_zyx
        return tiled_mean(predict, tensor, classes, tile, limits.step_size).numpy()


def _mean_probabilities(networks: Sequence[nn.Module], part: torch.Tensor, device: Device) -> torch.Tensor:
    """Returns float32 (K, z, y, x) on the device for one part (C, z, y, x) of an image."""
    batch = part[None].to(device.device, dtype=device.autocast or torch.float32)
    batch = batch.contiguous(memory_format=torch.channels_last_3d)
    total: torch.Tensor | None = None
    for network in networks:
        # Softmax over planar classes is several times faster than over interleaved ones.
        probabilities = network(batch)[0].contiguous().softmax(dim=0, dtype=torch.float32)
        total = probabilities if total is None else total.add_(probabilities)
    if total is None:
        raise ValueError("a stage needs at least one network")
    return total.div_(len(networks)) if len(networks) > 1 else total
