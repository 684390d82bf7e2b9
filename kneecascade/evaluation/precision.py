"""Precision: how far repeated scans of an unchanged knee differ in volume and thickness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.evaluation.measures import Scores
from kneecascade.evaluation.overlap import MM3_PER_ML
from kneecascade.evaluation.surface import surface_of
from kneecascade.evaluation.thickness import volume_over_half_surface_mm
from kneecascade.imaging.components import bounding_box

CHANGE_FACTOR = 1.96 * math.sqrt(2)
"""A difference of two scans exceeds this many standard deviations of one by chance in 5 % of knees."""


@dataclass(frozen=True)
class Precision:
    """One quantity of one label over all knees scanned repeatedly.

    Attributes:
        knees: with at least two scans that hold the label.
        scans: of these knees.
        mean: over scans.
        rms_sd: root mean square of the knees' standard deviations, weighted by their degrees of freedom.
        rms_cv_percent: the same of the coefficients of variation (Glueer et al. 1995).
        smallest_detectable_change: 1.96 sqrt(2) rms_sd: a smaller difference between two scans of a knee
            may be error.
    """

    knees: int
    scans: int
    mean: float
    rms_sd: float
    rms_cv_percent: float
    smallest_detectable_change: float


def precision(knees: Sequence[Sequence[float]]) -> Precision | None:
    """Returns the precision of a quantity.

    Args:
        knees: the values of each knee's scans; knees with fewer than two are left out.

    Returns:
        None where no knee has two values, or the mean of one is 0.
    """
    repeated = [np.asarray(values, dtype=float) for values in knees if len(values) > 1]
    if not repeated or any(values.mean() == 0 for values in repeated):
        return None
    freedom = np.array([len(values) - 1 for values in repeated])
    spreads = np.array([values.std(ddof=1) for values in repeated])
    means = np.array([values.mean() for values in repeated])
    rms_sd = float(np.sqrt((freedom * spreads**2).sum() / freedom.sum()))
    return Precision(
        knees=len(repeated),
        scans=sum(len(values) for values in repeated),
        mean=float(np.concatenate(repeated).mean()),
        rms_sd=rms_sd,
        rms_cv_percent=float(100 * np.sqrt((freedom * (spreads / means) ** 2).sum() / freedom.sum())),
        smallest_detectable_change=CHANGE_FACTOR * rms_sd,
    )


def precision_of_labels(
    sizes: Mapping[str, Mapping[str, Scores]], knees: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, dict[str, Precision]]:
    """Returns the precision of every label's quantities.

    Args:
        sizes: of each case, as `label_sizes` returns them.
        knees: cases that are scans of one knee.
        labels: names of the labels.

    Returns:
        Precisions by label and quantity; a quantity that no knee has twice is left out.
    """
    found: dict[str, dict[str, Precision]] = {}
    for label in labels:
        for what in ("volume_ml", "thickness_mm"):
            values = [[sizes[case][label].get(what) for case in knee] for knee in knees]
            result = precision([[v for v in knee if v] for knee in values])
            if result:
                found.setdefault(label, {})[what] = result
    return found


def label_sizes(case: LabelVolume, labels: Labels, cartilage: Sequence[str]) -> dict[str, Scores]:
    """Returns volume_ml of each foreground label and thickness_mm (2V/S) of cartilage; None if absent."""
    geometry, sizes = case.geometry, {}
    for name, value in zip(labels.foreground, labels.values[1:], strict=True):
        mask = case.array == value
        volume_mm3 = float(np.count_nonzero(mask) * geometry.voxel_mm3)
        sizes[name] = scores = {"volume_ml": volume_mm3 / MM3_PER_ML or None}
        if name in cartilage:
            area = surface_of(mask, geometry.spacing_mm, bounding_box(mask)).area_mm2
            scores["thickness_mm"] = volume_over_half_surface_mm(volume_mm3, area)
    return sizes
