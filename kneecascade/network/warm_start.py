"""Weights of a model trained here as the start of another training."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from kneecascade.core.settings import Stage
from kneecascade.errors import CheckpointError
from kneecascade.network.checkpoint import load_weights

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


def start_from(network: nn.Module, path: Path) -> tuple[str, bool]:
    """Copies every tensor whose name and shape fit; other labels or channels leave those layers anew.

    Args:
        network: filled in place.
        path: a model.safetensors of the same stage.

    Returns:
        One line for the user, and whether the layers that tell the labels were filled too.

    Raises:
        CheckpointError: the file is missing or broken, or less than half of the parameters fit.
    """
    state, _ = load_weights(path)
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in state.items() if _fits(own.get(name), tensor)}
    total = sum(parameter.numel() for parameter in network.parameters())
    filled = sum(p.numel() for name, p in network.named_parameters() if name in fitting)
    if filled < FEWEST_SHARE * total:
        raise CheckpointError(
            f"{path}: of another network, {filled / 1e6:.1f} of {total / 1e6:.1f} M parameters fit; "
            "plan with the same networks or train without --pretrained"
        )
    network.load_state_dict(fitting, strict=False)
    heads = all(name in fitting for name in own if name.startswith("heads."))
    left = sorted({name.split(".")[0] for name in own if name not in fitting})
    note = f"; anew: {', '.join(left)}" if left else ""
    where = f"{path.parent.parent.name}/{path.parent.name}"
    return f"{filled / 1e6:.1f} of {total / 1e6:.1f} M parameters from {where}{note}", heads


def _fits(own: object, tensor: object) -> bool:
    return own is not None and getattr(own, "shape", None) == getattr(tensor, "shape", ())
