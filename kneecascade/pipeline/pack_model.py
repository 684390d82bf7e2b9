"""Makes a model that can come along of a trained one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

import kneecascade
from kneecascade.console import say
from kneecascade.core.record import to_plain
from kneecascade.errors import SettingsError
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.files import read_json, write_json
from kneecascade.inference.folds import STAGES, trained_folds, weights_file
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.network.half import halved
from kneecascade.pipeline.quality_reference import with_sureness
from kneecascade.pipeline.shipped import CARD, folder_bytes
from kneecascade.workspace import PLAN

OF_IMAGES = ("spacing", "extent", "intensity", "noise", "tissue", "edge", "shading")
"""Checks of quality.json that hold images, not segmentations, against training cases."""
RUN = "run.json"


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
    _copy_limits(model_folder, source, output)
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


def _copy_limits(source: Path, fold: Path, target: Path) -> None:
    """Writes quality.json with what the fold's held-out cases tell, which the copy comes without.

    A model that saw painted images alone knows no limits of real ones.
    """
    reference, run = read_reference(source), fold / RUN
    if reference is None:
        return
    limits = with_sureness(reference, [fold])
    if run.is_file() and read_json(run).get("settings", {}).get("synthetic"):
        kept = tuple(limit for limit in limits.limits if limit.check not in OF_IMAGES)
        limits = replace(limits, limits=kept)
    write_json(target / FILE, to_plain(limits))
