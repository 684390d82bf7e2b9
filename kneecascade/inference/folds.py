"""Trained folds of a model folder: which there are, whether they fit together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import Stage
from kneecascade.errors import CheckpointError
from kneecascade.files import content_hash
from kneecascade.network.checkpoint import load_metadata

ESSENTIALS = (
    "labels",
    "targets",
    "channels",
    "normalization",
    "coarse spacing",
    "fine spacing",
    "denoise",
    "histogram_landmarks",
    "canonical_side",
)
STAGES: tuple[Stage, ...] = ("coarse", "fine")
COARSE_SHARE = "coarse_share"
"""The word in the metadata of the fine stage's model.safetensors."""


def weights_file(fold_folder: Path, stage: Stage) -> Path:
    """Returns where the finished weights of a stage lie."""
    return fold_folder / stage / "model.safetensors"


def weights_hash(fold_folders: Sequence[Path]) -> str:
    """Returns a hash of the weights of both stages of trained folds, 16 hexadecimal digits."""
    return content_hash([weights_file(folder, stage) for folder in fold_folders for stage in STAGES])


def coarse_share(fold_folders: Sequence[Path]) -> float:
    """Returns the coarse stage's share inside the region, the mean of what the folds chose.

    Weights that were never calibrated count 0.

    Raises:
        CheckpointError: weights are missing or broken, or what they say of it cannot be read.
    """
    return sum(_share(weights_file(folder, "fine")) for folder in fold_folders) / len(fold_folders)


def _share(path: Path) -> float:
    text = load_metadata(path).get(COARSE_SHARE, '{"share": 0}')
    try:
        share = float(json.loads(text)["share"])
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{path}: {COARSE_SHARE} in its metadata cannot be read: {text[:60]}"
        ) from error
    if not 0 <= share <= 1:
        raise CheckpointError(f"{path}: {COARSE_SHARE} in its metadata is {share:g}, outside 0 to 1")
    return share


def is_trained(fold_folder: Path) -> bool:
    """Returns whether plan and weights of both stages are there."""
    files = [fold_folder / "plan.json", *(weights_file(fold_folder, stage) for stage in STAGES)]
    return all(file.is_file() for file in files)


def fold_folders(model_folder: Path) -> dict[int, Path]:
    """Returns every fold_N folder of a model, trained or not, by number."""
    found = {p.name.removeprefix("fold_"): p for p in model_folder.glob("fold_*") if p.is_dir()}
    return {int(number): found[number] for number in sorted(found, key=_number) if number.isdigit()}


def trained_folds(model_folder: Path, folds: Sequence[int] | None = None) -> list[Path]:
    """Returns the folders of the trained folds.

    Args:
        model_folder: results/Dataset001_Name, with fold_0 and so on.
        folds: the numbers wanted; None for every trained fold.

    Raises:
        CheckpointError: a wanted fold, or any at all, is not trained; the message lists what there is.
    """
    there = fold_folders(model_folder)
    trained = [number for number, folder in there.items() if is_trained(folder)]
    wanted = trained if folds is None else list(folds)
    missing = [number for number in wanted if number not in trained]
    if missing or not wanted:
        what = f"not trained: fold {', '.join(map(str, missing))}" if missing else "no trained fold"
        listed = "; ".join(f"fold {n}: {_state(folder)}" for n, folder in there.items())
        raise CheckpointError(f"{model_folder}: {what}; there: {listed or _hint(model_folder)}")
    return [there[number] for number in wanted]


def _hint(folder: Path) -> str:
    """Says what a folder without folds may be."""
    if is_trained(folder):
        return f"a fold itself; give the folder above, {folder.resolve().parent.name}"
    models = sorted(path.name for path in folder.glob("Dataset*") if fold_folders(path))
    return f"models; give one of them: {', '.join(models)}" if models else "no folds"


def one_plan(plans: Mapping[str, CascadePlan]) -> CascadePlan:
    """Returns the plan under which all folds predict: theirs, with the largest of their margins.

    Args:
        plans: by name of the fold, at least one.

    Raises:
        CheckpointError: folds differ in anything that their probabilities' grids or classes depend on.
    """
    (first_name, first), *others = plans.items()
    for name, plan in others:
        for what, mine, theirs in zip(
            ESSENTIALS,
            _essentials(first),
            _essentials(plan),
            strict=True,
        ):
            if mine != theirs:
                raise CheckpointError(
                    f"{name} was trained with another plan than {first_name}: {what} {theirs}, not {mine};"
                    " choose folds that fit together"
                )
    margin_mm = max(plan.region.margin_mm for plan in plans.values())
    return replace(first, region=replace(first.region, margin_mm=margin_mm))


def _essentials(plan: CascadePlan) -> tuple[object, ...]:
    return (
        plan.labels,
        plan.targets,
        plan.channel_names,
        plan.normalization,
        plan.coarse.spacing_mm,
        plan.fine.spacing_mm,
        plan.denoise,
        plan.histogram_landmarks,
        plan.canonical_side,
    )


def _state(fold_folder: Path) -> str:
    missing = [stage for stage in STAGES if not weights_file(fold_folder, stage).is_file()]
    if not missing:
        return "trained" if is_trained(fold_folder) else "plan.json is missing"
    return f"{' and '.join(missing)} not trained"


def _number(text: str) -> tuple[bool, int]:
    return (not text.isdigit(), int(text) if text.isdigit() else 0)
