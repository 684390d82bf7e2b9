"""One stage of the cascade: its networks, one per fold, and their mean probabilities."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kneecascade.allocator import give_back
from kneecascade.core.plan import StagePlan
from kneecascade.core.settings import BackendName
from kneecascade.inference.cost import forward_gb
from kneecascade.inference.openvino_network import OpenVinoNetwork
from kneecascade.inference.window import tiled_mean
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_into
from kneecascade.network.device import Device
from kneecascade.network.fold import fold_batchnorm, fold_in_place

SLICES = 16


@dataclass(frozen=True)
class Limits:
    """How much memory one forward may take, and how tiles overlap where it would take more.

    Attributes:
        memory_limit_gb: above this estimate the stage works in tiles.
        step_size: step from tile to tile over the tile's edge.
        in_slabs: whether a forward does its full resolution in slabs, as torch's does.
    """

    memory_limit_gb: float = 6.0
    step_size: float = 0.5
    in_slabs: bool = True


def load_stage(path: Path, plan: StagePlan, device: Device, backend: BackendName = "torch") -> nn.Module:
    """Returns a trained network ready to predict: BatchNorm folded, in the device's precision.

    Raises:
        CheckpointError: the weights are missing, broken or of another network.
    """
    network = build_network(plan.network)
    load_into(network, path)
    folded = fold_in_place(network).requires_grad_(False)
    return OpenVinoNetwork(folded, device) if backend == "openvino" else _placed(folded, device)


def ready(network: nn.Module, device: Device) -> nn.Module:
    """Returns an eval copy on the device, BatchNorm folded, channels last, without gradients."""
    return _placed(fold_batchnorm(network), device)


def _placed(folded: nn.Module, device: Device) -> nn.Module:
    folded.requires_grad_(False).to(device=device.device, dtype=device.autocast)
    return folded.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


def needs_tiles(plan: StagePlan, shape_zyx: Sequence[int], device: Device, limits: Limits) -> bool:
    """Returns whether one forward of this shape would take more memory than the limit, by estimate."""
    return forward_gb(plan.network, shape_zyx, device.autocast, limits.in_slabs) > limits.memory_limit_gb


def mirrorings(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yields every set of axes to mirror, the empty one first: 2 to the power of their number."""
    for count in range(len(axes) + 1):
        yield from itertools.combinations(axes, count)


def predict_stage(
    networks: Sequence[nn.Module],
    image: np.ndarray,
    plan: StagePlan,
    device: Device,
    limits: Limits,
    mirror_axes: Sequence[int] = (),
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
        mirror_axes: axes (0 z, 1 y, 2 x); the mean is over the image as it is and every mirroring of it.

    Returns:
        float32 (K, Z, Y, X).
    """
    tensor = torch.from_numpy(np.ascontiguousarray(image))

    def predict(part: torch.Tensor) -> torch.Tensor:
        return _mean_probabilities(networks, part, device, mirror_axes)

    with torch.inference_mode():
        if not needs_tiles(plan, image.shape[1:], device, limits):
            try:
                return predict(tensor).cpu().numpy()
            except torch.cuda.OutOfMemoryError:
                torch.cuda.empty_cache()
        classes, tile = plan.network.num_classes, plan.patch_shape_zyx
        return tiled_mean(predict, tensor, classes, tile, limits.step_size).numpy()


def _mean_probabilities(
    networks: Sequence[nn.Module], part: torch.Tensor, device: Device, mirror_axes: Sequence[int]
) -> torch.Tensor:
    """Returns float32 (K, z, y, x) on the device for one part (C, z, y, x) of an image."""
    batch = part[None].to(device.device, dtype=device.autocast or torch.float32)
    total: torch.Tensor | None = None
    answers = 0
    for axes in mirrorings(mirror_axes):
        turned = batch.flip([axis + 2 for axis in axes]) if axes else batch
        turned = turned.contiguous(memory_format=torch.channels_last_3d)
        for network in networks:
            logits = network(turned)[0].contiguous()
            if axes:
                logits = logits.flip([axis + 1 for axis in axes])
            if total is None:
                give_back()  # the network's maps, before the largest array
                total = torch.zeros(logits.shape, dtype=torch.float32, device=logits.device)
            _add_softmax(total, logits)
            answers += 1
    if total is None:
        raise ValueError("a stage needs at least one network")
    return total.div_(answers) if answers > 1 else total


def _add_softmax(total: torch.Tensor, logits: torch.Tensor) -> None:
    """Adds the softmax over the first axis in float32, slice by slice: all at once takes twice the memory.

    Softmax over planar classes is several times faster than over interleaved ones.
    """
    for some, part in zip(total.split(SLICES, 1), logits.split(SLICES, 1), strict=True):
        some.add_(part.contiguous().softmax(dim=0, dtype=torch.float32))
