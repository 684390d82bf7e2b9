"""Scores a folder of predictions against a folder of references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.console import say, show_table, warn
from kneecascade.core.labels import Labels
from kneecascade.core.record import to_plain
from kneecascade.errors import DatasetError, InputError
from kneecascade.evaluation.report import FolderScores, Statistic, evaluate_pairs, mean_dice, statistic
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline.images import image_ending, strip_ending

Pairs = dict[str, tuple[Path, Path | None]]


def evaluate_folders(
    reference: Path, predicted: Path, output: Path | None = None, labels_file: Path | None = None
) -> int:
    """Scores every case that has a reference, prints a table, writes a JSON file.

    Args:
        reference: folder of reference segmentations.
        predicted: folder of predictions with the same names; the ending may differ.
        output: where the scores go; None for scores.json in the folder of predictions.
        labels_file: a dataset.json; None looks for ../dataset.json of the references, then for
            predictions.json of the predictions, else values stand for names.

    Returns:
        How many cases could not be scored.

    Raises:
        InputError: a folder is missing or empty, or no label names can be read from the file given.
    """
    pairs = pair_files(reference, predicted)
    labels, source = find_labels(reference, predicted, pairs, labels_file)
    scores = evaluate_pairs(pairs, labels)
    for name, problem in scores.problems.items():
        warn(f"{name}: not scored: {problem}")
    means = mean_dice(scores.cases, labels)
    _show(scores, labels, means)
    path = output or predicted / "scores.json"
    write_json(path, _plain(scores, means, reference, predicted, source))
    say(f"{len(scores.cases)} of {len(pairs)} cases scored: {path}")
    return len(scores.problems)


def pair_files(reference: Path, predicted: Path) -> Pairs:
    """Returns reference and predicted file by case name, the latter None where it is missing.

    Raises:
        InputError: a folder is missing, or there is no reference.
    """
    truths, guesses = _images(reference), _images(predicted)
    if not truths:
        raise InputError(f"{reference}: no reference segmentation in it")
    return {name: (path, guesses.get(name)) for name, path in truths.items()}


def find_labels(
    reference: Path, predicted: Path, pairs: Pairs, labels_file: Path | None = None
) -> tuple[Labels, str]:
    """Returns label names and values, and where they come from.

    Raises:
        InputError: the file given is missing or holds no labels.
    """
    if labels_file:
        return _read_labels(labels_file), str(labels_file)
    for file in (reference.parent / "dataset.json", predicted / "predictions.json"):
        if file.is_file():
            return _read_labels(file), str(file)
    values = sorted({int(v) for path, _ in pairs.values() for v in np.unique(read_labels(path).array)} - {0})
    return Labels(("background", *map(str, values)), (0, *values)), "values in the references"


def _images(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != "." and image_ending(p))
    return {strip_ending(path): path for path in files}


def _read_labels(file: Path) -> Labels:
    data = read_json(file)
    pairs = data.get("labels") if isinstance(data, dict) else None
    if not isinstance(pairs, dict) or not all(isinstance(value, int) for value in pairs.values()):
        raise DatasetError(f'{file}: labels must be like {{"background": 0, "femur": 1}}')
    foreground = sorted((value, name) for name, value in pairs.items() if value != 0)
    return Labels(("background", *(name for _, name in foreground)), (0, *(value for value, _ in foreground)))


def _show(scores: FolderScores, labels: Labels, means: dict[str, Statistic]) -> None:
    """Prints a row a label, however many there are; each case is in the file of scores."""
    if not scores.cases:
        return
    rows = []
    for label in labels.foreground:
        found = {name: case[label].dice for name, case in scores.cases.items()}
        scored = {name: dice for name, dice in found.items() if dice is not None}
        worst = min(scored, key=lambda name: scored[name], default=None)
        lowest = "-" if worst is None else f"{scored[worst]:.3f} {worst}"
        rows.append([label, _spread(means[label]), str(means[label].n), lowest])
    show_table("Dice (cases where both are empty left out)", ["label", "mean ± sd", "n", "worst"], rows)


def _plain(
    scores: FolderScores, means: dict[str, Statistic], reference: Path, predicted: Path, source: str
) -> dict[str, Any]:
    overall = statistic(mean.mean for mean in means.values())
    return {
        "reference": str(reference),
        "predicted": str(predicted),
        "labels_from": source,
        "empty_labels": "null where both are empty (left out of means), 0 where one is",
        "mean_dice": to_plain(means),
        "mean_dice_of_labels": overall.mean,
        "problems": scores.problems,
        "cases": to_plain(scores.cases),
    }


def _text(dice: float | None) -> str:
    return "-" if dice is None else f"{dice:.3f}"


def _spread(mean: Statistic) -> str:
    return _text(mean.mean) if mean.sd is None else f"{mean.mean:.3f} ± {mean.sd:.3f}"
