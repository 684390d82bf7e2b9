"""Checkpoints: tensors and text in safetensors files, never a pickle, never half-written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

from kneecascade.errors import CheckpointError
from kneecascade.files import written_whole

MODULE, OPTIMIZER, MORE = "module.", "optimizer.", "more."


def save_weights(
    path: Path, source: nn.Module | Mapping[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    """Writes a network's state to a temporary name, then renames it.

    Args:
        path: the .safetensors file; its folder is made.
        source: a module or a state dict.
        metadata: free text beside the tensors, such as the plan.
    """
    state = source.state_dict() if isinstance(source, nn.Module) else source
    _write(path, state, metadata)


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Returns the state dict, on the CPU, and the metadata.

    Raises:
        CheckpointError: the file is missing or broken.
    """
    with _opened(path) as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        return state, dict(file.metadata() or {})


def load_metadata(path: Path) -> dict[str, str]:
    """Returns the text beside the tensors of a file of `save_weights`, without reading them.

    Raises:
        CheckpointError: the file is missing or broken.
    """
    with _opened(path) as file:
        return dict(file.metadata() or {})


def load_into(module: nn.Module, path: Path) -> dict[str, str]:
    """Fills a module from a file of `save_weights`; returns the metadata.

    Raises:
        CheckpointError: the file is missing, broken, of another network, or holds NaN.
    """
    state, metadata = load_weights(path)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise CheckpointError(f"{path}: holds weights that are not finite; train again or restore the file")
    _fill(module, state, path)
    return metadata


def save_training_state(
    path: Path,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    numbers: dict[str, Any],
    more: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes everything a training needs to go on bit by bit as if never stopped.

    Args:
        path: the .safetensors file.
        module: the network; its buffers are kept as well.
        optimizer: its state must be tensors per parameter (AdamW, SGD with momentum).
        numbers: anything JSON can hold; floats come back exactly.
        more: tensors of any names, such as other weights to keep.
    """
    tensors = {MODULE + name: tensor for name, tensor in module.state_dict().items()}
    state = optimizer.state_dict()
    for index, slots in state["state"].items():
        tensors |= {f"{OPTIMIZER}{index}.{slot}": tensor for slot, tensor in slots.items()}
    tensors |= {MORE + name: tensor for name, tensor in (more or {}).items()}
    metadata = {"numbers": json.dumps(numbers), "groups": json.dumps(state["param_groups"])}
    _write(path, tensors, metadata)


def load_training_state(
    path: Path, module: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Fills network and optimizer from a file of `save_training_state`; returns its numbers and `more`.

    Raises:
        CheckpointError: the file is missing, broken or of another network or optimizer.
    """
    tensors, metadata = load_weights(path)
    _fill(module, {n.removeprefix(MODULE): t for n, t in tensors.items() if n.startswith(MODULE)}, path)
    slots: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(OPTIMIZER):
            index, slot = name.removeprefix(OPTIMIZER).split(".")
            slots.setdefault(int(index), {})[slot] = tensor
    try:
        optimizer.load_state_dict({"state": slots, "param_groups": json.loads(metadata["groups"])})
        numbers = json.loads(metadata["numbers"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not a training state of this optimizer; start without --continue"
        ) from error
    return numbers, {n.removeprefix(MORE): t for n, t in tensors.items() if n.startswith(MORE)}


def load_numbers(path: Path) -> dict[str, Any]:
    """Returns the numbers of a file of `save_training_state`; {} where there is no such file.

    Raises:
        CheckpointError: the file is broken.
    """
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(load_metadata(path)["numbers"]))
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: not a training state; start without --continue") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such checkpoint; train first") from error
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: broken checkpoint; train again or restore the file") from error


def _fill(module: nn.Module, state: Mapping[str, torch.Tensor], path: Path) -> None:
    own = module.state_dict()
    odd = sorted(own.keys() ^ state.keys()) or [n for n in own if own[n].shape != state[n].shape]
    if odd:
        raise CheckpointError(f"{path}: of another network, {odd[0]} and {len(odd) - 1} more do not fit")
    module.load_state_dict(state)  # packed models are stored in half precision: copying widens them


def _write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> None:
    # safetensors stores plain row-major memory; clones also part tensors that share it.
    plain = {n: t.detach().cpu().clone(memory_format=torch.contiguous_format) for n, t in tensors.items()}
    with written_whole(path) as temporary:
        save_file(plain, temporary, metadata)
