"""Models that come with kneecascade: where they lie, and how a trained one becomes one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import kneecascade
from kneecascade.console import say
from kneecascade.errors import InputError, SettingsError
from kneecascade.files import read_json, write_json
from kneecascade.inference.folds import STAGES, trained_folds, weights_file
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.network.half import halved
from kneecascade.workspace import PLAN

FOLDER = Path(kneecascade.__file__).parent / "models"
DEFAULT = "synthetic"
"""What kc_predict uses where nothing is trained."""
CARD = "card.json"
QUALITY = "quality.json"
OF_IMAGES = ("spacing", "extent", "intensity", "noise", "tissue", "edge", "shading")
"""Checks of quality.json that hold images, not segmentations, against training cases."""
RUN = "run.json"


def shipped_models() -> dict[str, Path]:
    """Returns the folders of the models in this installation, by name."""
    found = sorted(FOLDER.glob(f"*/{CARD}")) if FOLDER.is_dir() else []
    return {card.parent.name: card.parent for card in found}


def shipped_name(model_folder: Path) -> str | None:
    """Returns the name of a shipped model; None for any other folder."""
    return model_folder.name if model_folder.resolve().parent == FOLDER.resolve() else None


def named(model: Path | str) -> Path:
    """Returns the folder that a word on the command line stands for: itself, or a shipped model's name."""
    return Path(model) if Path(model).exists() else shipped_models().get(str(model), Path(model))


def read_card(model_folder: Path) -> dict[str, Any]:
    """Returns what a model says of itself; {} where it has no card."""
    try:
        card = read_json(model_folder / CARD)
    except InputError:
        return {}
    return card if isinstance(card, dict) else {}


def pack_model(model_folder: Path, fold: int, output: Path, card: dict[str, Any]) -> int:
    """Writes a small copy of one trained fold: weights in half precision, plan, card.

    Args:
        model_folder: results/Dataset001_Name.
        fold: which one.
        output: a new folder; its last part is the model's name.
        card: what the model says of itself.

    Returns:
        Bytes of the copy.

    Raises:
        SettingsError: the output is there already.
        CheckpointError: the fold is not trained, or its weights are broken.
    """
    source = trained_folds(model_folder, [fold])[0]
    if output.exists():
        raise SettingsError(f"{output}: is there already; give another folder, or delete it first")
    target = output / "fold_0"
    for stage in STAGES:
        state, metadata = load_weights(weights_file(source, stage))
        save_weights(weights_file(target, stage), halved(state), _without_places(metadata))
    if (source / PLAN).is_file():
        shutil.copy(source / PLAN, target / PLAN)
    _copy_run(source / RUN, target / RUN)
    _copy_limits(model_folder / QUALITY, output / QUALITY, source / RUN)
    write_json(output / CARD, {"name": output.name, "kneecascade": kneecascade.__version__, **card})
    size = folder_bytes(output)
    say(f"{output}: {size / 1e6:.1f} MB")
    return size


def _copy_run(source: Path, target: Path) -> None:
    """Copies run.json; of the weights that it started from the name alone travels, not where they lay."""
    if not source.is_file():
        return
    run = read_json(source)
    if "settings" in run:
        run["settings"] = _placeless(run["settings"])
    write_json(target, run)


def _without_places(metadata: Mapping[str, str]) -> dict[str, str]:
    """Returns metadata of weights, its settings likewise."""
    changed = dict(metadata)
    if "settings" in changed:
        changed["settings"] = json.dumps(_placeless(json.loads(changed["settings"])))
    return changed


def _placeless(settings: dict[str, Any]) -> dict[str, Any]:
    start = settings.get("pretrained")
    return {**settings, "pretrained": "/".join(PureWindowsPath(start).parts[-2:])} if start else settings


def _copy_limits(source: Path, target: Path, run: Path) -> None:
    """Copies quality.json; a model that saw painted images alone knows no limits of real ones."""
    if not source.is_file():
        return
    limits = read_json(source)
    if run.is_file() and read_json(run).get("settings", {}).get("synthetic"):
        limits["limits"] = [limit for limit in limits["limits"] if limit["check"] not in OF_IMAGES]
    write_json(target, limits)


def folder_bytes(folder: Path) -> int:
    """Returns the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
