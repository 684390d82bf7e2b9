"""Sides in quality control: what it learned on right knees it asks of the mirror images of left ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.dataset import Dataset
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CanonicalSide
from kneecascade.core.settings import SideChoice
from kneecascade.evaluation.quality_checks import Flag, find_flags, of_mirror_image
from kneecascade.evaluation.quality_features import Features, measure_features
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.inference.sides import TRIM
from kneecascade.pipeline.sides import written_sides
from kneecascade.planning.sides import LEFT_OR_RIGHT, OTHER, side_of_labels
from kneecascade.planning.subjects import read_subject_rows, read_subject_table


@dataclass(frozen=True)
class SideSource:
    """Where the sides of a folder's knees come from.

    Attributes:
        choice: one side for all; "auto" asks subjects.csv, then predictions.json.
        subjects: a subjects.csv; None looks in the folders of labels and images and in those above them.
    """

    choice: SideChoice = "auto"
    subjects: Path | None = None


def side_to_learn(raw: Dataset, canonical: CanonicalSide) -> CanonicalSide:
    """Returns the side that all knees are measured as; "none" measures every knee as it is.

    The plan's where labels are medial and lateral. Else that of the training cases where they are known to
    be of one side, so that sound knees of the other one are not odd by their side alone.

    Args:
        raw: the data set.
        canonical: of the plan.
    """
    if canonical != "none":
        return canonical
    sides = {case.side for case in raw.training if case.label}
    named = any(LEFT_OR_RIGHT.search(name.lower()) for name in raw.labels.names)
    if named or sides not in ({"left"}, {"right"}):
        return "none"
    return "left" if sides == {"left"} else "right"


def is_mirrored(labels: LabelVolume, names: Labels, measured_as: CanonicalSide, side: Side) -> bool:
    """Returns whether a case has to be measured as its mirror image.

    Args:
        labels: of the case.
        names: of the labels.
        measured_as: side of the limits; "none", nothing is mirrored.
        side: of the case; where it is unknown, medial and lateral labels tell it. Where they do not, the
            case is measured as it is: a mirrored knee that nobody announced is a reason for a flag.
    """
    if measured_as == "none":
        return False
    told = told_of_labels(labels, names) if side == "unknown" else side
    return told == OTHER[measured_as]


def told_of_labels(labels: LabelVolume, names: Labels) -> Side | None:
    """Returns the side that medial and lateral labels tell; None where they tell none."""
    turned = to_canonical(labels.array, *canonical_axes(labels.geometry))
    return side_of_labels(turned, names, TRIM)


def features_of(
    volume: Volume | None, labels: LabelVolume, names: Labels, measured_as: CanonicalSide, side: Side
) -> Features:
    """Measures a case as a knee of the side that limits are made for."""
    return measure_features(volume, labels, names, is_mirrored(labels, names, measured_as, side))


def flags_of(
    volume: Volume | None, labels: LabelVolume, reference: QualityReference, side: Side, more: Features
) -> tuple[Flag, ...]:
    """Returns what is odd about a case, told in the patient's own left and right.

    Args:
        volume: the image, or None.
        labels: on its grid.
        reference: limits.
        side: of the knee.
        more: features that are not measured of image and labels.
    """
    mirrored = is_mirrored(labels, reference.labels, reference.side, side)
    features = measure_features(volume, labels, reference.labels, mirrored)
    flags = find_flags({**features, **more}, reference)
    return tuple(of_mirror_image(flag, reference.side) for flag in flags) if mirrored else flags


def known_sides(
    predicted: Path, images: Path | None, names: Iterable[str], source: SideSource
) -> dict[str, Side]:
    """Returns the side of every case of a folder: as the user says, else of subjects.csv, else as predicted.

    Args:
        predicted: folder of label files; predictions.json in it tells what kc_predict was told.
        images: folder of their images; None for none.
        names: of the cases.
        source: where to look.

    Raises:
        DatasetError: the table cannot be used.
    """
    if source.choice != "auto":
        return dict.fromkeys(names, source.choice)
    if source.subjects is not None:
        rows = read_subject_table(source.subjects)
    else:
        folders = [folder for folder in (images, predicted) if folder is not None]
        places = [place for folder in folders for place in (folder.resolve().parent, folder)]
        rows = {name: row for place in places for name, row in read_subject_rows(place).items()}
    known = written_sides(predicted, rows)
    return {name: known.get(name, "unknown") for name in names}
