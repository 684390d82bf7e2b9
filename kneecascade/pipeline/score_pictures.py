"""Pictures that kc_evaluate draws: box plots, agreement, the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kneecascade.console import say, warn
from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError, InputError
from kneecascade.evaluation.agreement import PAIRS, paired
from kneecascade.evaluation.cases import Pair
from kneecascade.evaluation.pictures import agreement_png, box_plots_png
from kneecascade.evaluation.report import statistic
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.pipeline.drawing import draw_labels
from kneecascade.pipeline.images import image_ending, strip_ending
from kneecascade.pipeline.scores_file import FolderScores

WORST = 5
DRAWN = ("dice", "volume_difference_percent", "assd_mm", "hd95_mm")


def draw_scores(
    scores: FolderScores, folder: Path, pairs: Sequence[Pair], images: Path | None = None
) -> None:
    """Draws box plots and agreement; the five worst cases over their images where these are given.

    Args:
        scores: of a folder.
        folder: where the pictures go.
        pairs: files of the cases.
        images: folder of images, name.nii.gz or name_0000.nii.gz.

    Raises:
        InputError: there is no such folder of images.
    """
    if not scores.cases:
        return
    names = [name for name in (*DRAWN, *_surface_dice(scores)) if name in scores.measures]
    values = {
        name: {label: _there(scores, label, name) for label in scores.labels.foreground} for name in names
    }
    titles = {
        name: " ".join(filter(None, (scores.measures[name].title, scores.measures[name].unit)))
        for name in names
    }
    box_plots_png(folder / "boxes.png", values, titles)
    for what in PAIRS:
        found = {label: paired(scores.cases, label, what) for label in scores.labels.foreground}
        there = {label: pair for label, pair in found.items() if pair}
        if there:
            agreement = {label: scores.agreement[label][what] for label in there}
            agreement_png(folder / f"agreement_{what}.png", there, agreement, what.rpartition("_")[2])
    drawn = _draw_worst(scores, folder, pairs, _images(images)) if images else 0
    say(f"pictures in {folder}" + (f", {drawn} of the worst cases among them" if images else ""))


def worst_cases(scores: FolderScores, count: int = WORST) -> list[tuple[str, float]]:
    """Returns the names of the cases of lowest mean Dice over labels, the worst first, with that Dice."""
    means = {
        name: statistic(label["dice"] for label in case.values()).mean for name, case in scores.cases.items()
    }
    there = [(name, mean) for name, mean in means.items() if mean is not None]
    return sorted(there, key=lambda pair: pair[1])[:count]


def _surface_dice(scores: FolderScores) -> list[str]:
    return [name for name in scores.measures if name.startswith("nsd_")]


def _there(scores: FolderScores, label: str, measure: str) -> list[float]:
    values = (case[label][measure] for case in scores.cases.values())
    return [value for value in values if value is not None]


def _images(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != "." and image_ending(p))
    return {strip_ending(path).removesuffix("_0000"): path for path in files}


def _draw_worst(scores: FolderScores, folder: Path, pairs: Sequence[Pair], images: dict[str, Path]) -> int:
    """Draws the worst cases that have an image; returns how many."""
    files = {pair.name: pair for pair in pairs}
    drawn = 0
    for rank, (name, dice) in enumerate(worst_cases(scores), start=1):
        pair = files[name]
        if name not in images or pair.predicted is None:
            warn(f"{name}: no image to draw it over")
            continue
        path = folder / f"worst{rank}_{name}.png"
        try:
            guess, truth = (_known(read_labels(p), scores.labels) for p in (pair.predicted, pair.reference))
            draw_labels(
                path,
                read_volume([images[name]]),
                guess,
                scores.labels,
                f"{name}  mean Dice {dice:.3f}",
                truth,
            )
            drawn += 1
        except (ImageError, ValueError) as error:
            warn(f"{name}: not drawn: {error}")
    return drawn


def _known(labels: LabelVolume, names: Labels) -> LabelVolume:
    """Returns the labels without values that have no name: they were not scored, and are not drawn."""
    known = np.isin(labels.array, names.values)
    return LabelVolume(np.where(known, labels.array, 0), labels.geometry)
