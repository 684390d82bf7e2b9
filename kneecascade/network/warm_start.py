"""Weights of a model trained here as the start of another training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from kneecascade.core.settings import Stage
from kneecascade.errors import CheckpointError
from kneecascade.network.checkpoint import load_weights

HEADS, DECODER = "heads.", "decoder"
FEWEST_SHARE = 0.5
"""Share of the parameters that must fit; with fewer it would be another network's memory of nothing."""


def own_weights_file(source: Path | str, stage: Stage) -> Path | None:
    """Returns the stage's weights in a fold's folder, or in a model's first trained fold.

    Args:
        source: results/Dataset001_Name/fold_0, or results/Dataset001_Name.
        stage: which stage.

    Returns:
        None where the source is no folder, so a file such as MedicalNet's.

    Raises:
        CheckpointError: the folder holds no weights of that stage.
    """
    folder = Path(source)
    if not folder.is_dir():
        return None
    found = [folder / stage / "model.safetensors", *sorted(folder.glob(f"fold_*/{stage}/model.safetensors"))]
    for path in found:
        if path.is_file():
            return path
    raise CheckpointError(f"{folder}: holds no trained {stage} stage; give a fold's folder or a model's")


def start_from(network: nn.Module, path: Path, labels: Sequence[str] = ()) -> tuple[str, tuple[int, ...]]:
    """Copies every tensor whose name and shape fit; the output layers label by label, by their names.

    Args:
        network: filled in place.
        path: a model.safetensors of the same stage.
        labels: names of the network's classes, "background" first; none: output layers fit by shape alone.

    Returns:
        One line for the user, and the classes whose output is filled too; the others are left as they were.

    Raises:
        CheckpointError: the file is missing or broken, or less than half of the parameters fit.
    """
    state, metadata = load_weights(path)
    own = network.state_dict()
    state = _by_resolution(state, own)
    theirs = _label_names(metadata) if labels else ()
    fitting = {name: tensor for name, tensor in state.items() if _fits(own.get(name), tensor)}
    heads = [name for name in own if name.startswith(HEADS)]
    known = tuple(range(len(own[heads[0]]))) if heads and all(name in fitting for name in heads) else ()
    if theirs:
        found = {k: theirs.index(name) for k, name in enumerate(labels) if name in theirs}
        rows = {name: _rows(own[name], state.get(name), found) for name in heads}
        fitting.update({name: tensor for name, tensor in rows.items() if tensor is not None})
        known = tuple(found) if heads and None not in rows.values() else ()
    total = sum(parameter.numel() for parameter in network.parameters())
    filled = sum(p.numel() for name, p in network.named_parameters() if name in fitting)
    if filled < FEWEST_SHARE * total:
        raise CheckpointError(
            f"{path}: of another network, {filled / 1e6:.1f} of {total / 1e6:.1f} M parameters fit; "
            "plan with the same networks or train without --pretrained"
        )
    network.load_state_dict(fitting, strict=False)
    left = sorted({name.split(".")[0] for name in own if name not in fitting})
    if labels and known and len(known) < len(labels):
        left += [name for k, name in enumerate(labels) if k not in known]
    note = f"; anew: {', '.join(left)}" if left else ""
    where = f"{path.parent.parent.name}/{path.parent.name}"
    return f"{filled / 1e6:.1f} of {total / 1e6:.1f} M parameters from {where}{note}", known


def _by_resolution(state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> dict:
    """Renumbers a ResUNet's decoder, which counts from the deepest level, where the depths differ."""
    deeper = _decoder_levels(state) - _decoder_levels(own)
    renamed = {}
    for name, tensor in state.items():
        first, *rest = name.split(".")
        if first != DECODER:
            renamed[name] = tensor
        elif int(rest[0]) >= deeper:
            renamed[".".join((first, str(int(rest[0]) - deeper), *rest[1:]))] = tensor
    return renamed


def _decoder_levels(state: Mapping[str, torch.Tensor]) -> int:
    return len({name.split(".")[1] for name in state if name.startswith(f"{DECODER}.")})


def _label_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the labels that weights were trained for, from the plan in their metadata; () if unknown."""
    try:
        return tuple(json.loads(metadata["plan"])["labels"]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _rows(own: torch.Tensor, other: torch.Tensor | None, found: Mapping[int, int]) -> torch.Tensor | None:
    """Returns an output layer with the rows of the other's labels; None where the layers are unlike."""
    if other is None or own.shape[1:] != other.shape[1:] or max(found.values(), default=0) >= len(other):
        return None
    mixed = own.clone()
    for here, there in found.items():
        mixed[here] = other[there].to(mixed.dtype)
    return mixed


def _fits(own: object, tensor: object) -> bool:
    return own is not None and getattr(own, "shape", None) == getattr(tensor, "shape", ())
