"""Scores label files: reads a pair, checks that it fits, measures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.errors import ImageError
from kneecascade.evaluation.measures import CaseScores, MeasureSettings
from kneecascade.evaluation.score import score_case
from kneecascade.imaging.files import grid_difference, read_labels
from kneecascade.imaging.small_pieces import drop_small_pieces


@dataclass(frozen=True)
class Pair:
    """Files of one case.

    Attributes:
        name: of the case.
        reference: its label file.
        predicted: the predicted one; None where there is none.
        roi: mask in which cartilage is measured; None for everywhere.
    """

    name: str
    reference: Path
    predicted: Path | None
    roi: Path | None = None


def score_pair(
    pair: Pair, labels: Labels, settings: MeasureSettings, rules: Sequence[PieceRule] = ()
) -> CaseScores | str:
    """Returns the scores of a case, or what keeps it from being scored."""
    if pair.predicted is None:
        return "no prediction"
    try:
        return score_files(pair.reference, pair.predicted, labels, settings, pair.roi, rules)
    except ImageError as error:
        return str(error)


def score_files(
    reference: Path,
    predicted: Path,
    labels: Labels,
    settings: MeasureSettings | None = None,
    roi: Path | None = None,
    rules: Sequence[PieceRule] = (),
) -> CaseScores:
    """Scores one predicted file against its reference, after rules on its pieces.

    Raises:
        ImageError: a file cannot be read, or the grids differ.
    """
    truth = read_labels(reference)
    guess = _read_on(truth.geometry, predicted)
    inside: np.ndarray | None = None if roi is None else _read_on(truth.geometry, roi).array != 0
    found, _ = drop_small_pieces(guess.array, labels, rules, truth.geometry.voxel_mm3)
    return score_case(truth, found, labels, settings, inside)


def _read_on(geometry: Geometry, path: Path) -> LabelVolume:
    found = read_labels(path)
    difference = grid_difference(geometry, found.geometry)
    if difference:
        raise ImageError(f"{path}: {difference} differs from the reference's")
    return found
