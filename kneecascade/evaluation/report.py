"""Scores of a folder of predictions: per case, per label, means over cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError
from kneecascade.evaluation.overlap import LabelScore, score_labels
from kneecascade.imaging.files import grid_difference, read_labels

CaseScores = dict[str, LabelScore]


@dataclass(frozen=True)
class Statistic:
    """A number over several cases.

    Attributes:
        mean: None where no case has the number.
        sd: sample standard deviation; None for fewer than two cases.
        n: cases that have the number.
    """

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class FolderScores:
    """All cases of one folder.

    Attributes:
        cases: scores by case name and label name.
        problems: what kept a case from being scored, by case name.
    """

    cases: dict[str, CaseScores]
    problems: dict[str, str]


def statistic(numbers: Iterable[float | None]) -> Statistic:
    """Returns mean, standard deviation and count of the numbers that are there."""
    there = [number for number in numbers if number is not None]
    return Statistic(
        mean=float(np.mean(there)) if there else None,
        sd=float(np.std(there, ddof=1)) if len(there) > 1 else None,
        n=len(there),
    )


def mean_dice(cases: Mapping[str, CaseScores], labels: Labels) -> dict[str, Statistic]:
    """Returns the Dice of every foreground label over cases; cases without the label are left out."""
    return {
        name: statistic(scores[name].dice for scores in cases.values() if name in scores)
        for name in labels.foreground
    }


def score_files(reference: Path, predicted: Path, labels: Labels) -> CaseScores:
    """Scores one predicted file against its reference.

    Raises:
        ImageError: a file cannot be read, or the grids differ.
    """
    truth, guess = read_labels(reference), read_labels(predicted)
    difference = grid_difference(truth.geometry, guess.geometry)
    if difference:
        raise ImageError(f"{predicted}: {difference} differs from the reference's")
    return score_labels(truth.array, guess.array, labels, truth.geometry.voxel_mm3)


def evaluate_pairs(pairs: Mapping[str, tuple[Path, Path | None]], labels: Labels) -> FolderScores:
    """Scores every pair of files that can be scored.

    Args:
        pairs: reference and predicted file by case name; None where there is no prediction.
        labels: names and file values.
    """
    cases: dict[str, CaseScores] = {}
    problems: dict[str, str] = {}
    for name, (reference, predicted) in pairs.items():
        if predicted is None:
            problems[name] = "no prediction"
            continue
        try:
            cases[name] = score_files(reference, predicted, labels)
        except ImageError as error:
            problems[name] = str(error)
    return FolderScores(cases, problems)
