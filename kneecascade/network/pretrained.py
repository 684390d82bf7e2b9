"""Published MedicalNet weights into a MedicalNet encoder, without unpickling anything but tensors."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kneecascade.errors import CheckpointError
from kneecascade.network.medicalnet import DEPTHS, MedicalNet

COUNTER = "num_batches_tracked"
HEAD = "conv_seg."


def load_medicalnet(encoder: MedicalNet, path: Path | str) -> str:
    """Fills the encoder with a published file's weights.

    With n image channels conv1's kernel is repeated n times and divided by n, so that n equal
    channels give what one gave. A segmentation head in the file is left out.

    Returns:
        One line for the user: what was loaded from where.

    Raises:
        CheckpointError: the file is missing, no MedicalNet or of another depth, or the encoder's
            width is not 64.
    """
    path = Path(path)
    state = _read(path)
    depth = _depth(state, path)
    if depth != encoder.depth:
        raise CheckpointError(
            f"{path}: holds MedicalNet-{depth}, but the plan's network is MedicalNet-{encoder.depth}; "
            f"give the file of depth {encoder.depth} or plan with depth {depth}"
        )
    if encoder.width != 64:
        raise CheckpointError(f"{path}: needs width 64, but the plan's network has width {encoder.width}")
    channels = encoder.conv1.in_channels
    if channels != state["conv1.weight"].shape[1]:
        state["conv1.weight"] = _inflated(state["conv1.weight"], channels)
    _fill(encoder, state, path)
    note = f", conv1 inflated to {channels} channels" if channels > 1 else ""
    millions = sum(p.numel() for p in encoder.parameters()) / 1e6
    return f"MedicalNet-{depth} weights from {path.name}: {millions:.1f} M parameters{note}"


def medicalnet_depth_of(path: Path | str) -> int:
    """Returns the depth of a published file.

    Raises:
        CheckpointError: the file is missing or no MedicalNet.
    """
    path = Path(path)
    return _depth(_read(path), path)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of odd pickles before it refuses them
            data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path}: refused, it holds more than tensors or is no torch file") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: not a torch file that can be read; download it again") from error
    return _cleaned(data, path)


def _cleaned(data: Any, path: Path) -> dict[str, torch.Tensor]:
    if isinstance(data, Mapping) and isinstance(data.get("state_dict"), Mapping):
        data = data["state_dict"]
    if not isinstance(data, Mapping) or not all(isinstance(v, torch.Tensor) for v in data.values()):
        raise CheckpointError(f"{path}: no state dict in it; expected a published MedicalNet file")
    names = {str(name).removeprefix("module."): tensor for name, tensor in data.items()}
    kept = {n: t for n, t in names.items() if not n.startswith(HEAD) and not n.endswith(COUNTER)}
    if "conv1.weight" not in kept:
        raise CheckpointError(f"{path}: no MedicalNet, it has no conv1.weight")
    return kept


def _depth(state: dict[str, torch.Tensor], path: Path) -> int:
    counts = tuple(len({n.split(".")[1] for n in state if n.startswith(f"layer{k}.")}) for k in range(1, 5))
    block = "bottleneck" if any(".conv3." in name for name in state) else "basic"
    for depth, kind in DEPTHS.items():
        if (kind.block, kind.blocks) == (block, counts):
            return depth
    raise CheckpointError(f"{path}: no published MedicalNet has {block} blocks {counts} in its layers")


def _inflated(weight: torch.Tensor, channels: int) -> torch.Tensor:
    return weight.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1, 1) / channels


def _fill(encoder: MedicalNet, state: dict[str, torch.Tensor], path: Path) -> None:
    own = {name: tensor for name, tensor in encoder.state_dict().items() if not name.endswith(COUNTER)}
    odd = sorted(own.keys() ^ state.keys()) or [n for n in own if own[n].shape != state[n].shape]
    if odd:
        raise CheckpointError(
            f"{path}: not a published MedicalNet, {odd[0]} and {len(odd) - 1} more do not fit"
        )
    encoder.load_state_dict(state, strict=False)
