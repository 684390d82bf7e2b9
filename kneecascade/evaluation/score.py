"""All measures of a predicted against a reference mask, and of a whole case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.evaluation.distance import Distances, surface_distances
from kneecascade.evaluation.measures import (
    SURFACE,
    THICKNESS,
    CaseScores,
    MeasureSettings,
    Scores,
    surface_dice_name,
)
from kneecascade.evaluation.overlap import MM3_PER_ML, mask_overlap
from kneecascade.evaluation.surface import Surface, corners_of, surface_of
from kneecascade.evaluation.thickness import volume_over_half_surface_mm
from kneecascade.imaging.components import bounding_box


def score_case(
    reference: LabelVolume,
    predicted: np.ndarray,
    labels: Labels,
    settings: MeasureSettings | None = None,
    roi: np.ndarray | None = None,
) -> CaseScores:
    """Measures every foreground label of one case.

    Args:
        reference: integer (Z, Y, X), file values, with its grid.
        predicted: the same of the prediction, on the same grid.
        labels: names and file values; values outside them are ignored.
        settings: what is measured; None for the defaults.
        roi: bool (Z, Y, X); cartilage is measured inside it alone. None for everywhere.

    Returns:
        The measures of each label; what is not defined is None (see `score_masks`).

    Raises:
        ValueError: the shapes differ.
    """
    settings = settings or MeasureSettings()
    shapes = {reference.array.shape, predicted.shape, *([] if roi is None else [roi.shape])}
    if len(shapes) > 1:
        raise ValueError(f"shapes differ: {' and '.join(map(str, sorted(shapes)))}")
    spacing = reference.geometry.spacing_mm
    scores = {}
    for name, value in zip(labels.foreground, labels.values[1:], strict=True):
        masks = (reference.array == value, predicted == value)
        if name in settings.cartilage:
            scores[name] = score_masks(*masks, spacing, settings.tolerances_mm, sheet=True, roi=roi)
        else:
            scores[name] = score_masks(*masks, spacing, settings.tolerances_mm)
    return scores


def score_masks(
    reference: np.ndarray,
    predicted: np.ndarray,
    spacing_mm: Float3,
    tolerances_mm: Sequence[float],
    sheet: bool = False,
    roi: np.ndarray | None = None,
) -> Scores:
    """Measures one label.

    Everything is None where both masks are empty, but volumes, which are 0. Where one is, overlap and
    surface Dice are 0 and distances None. With a region of interest voxels outside it do not count, and
    surface is measured from elements inside it to the nearest anywhere.

    Args:
        reference: bool (Z, Y, X).
        predicted: bool (Z, Y, X).
        spacing_mm: (z, y, x).
        tolerances_mm: of the surface Dice.
        sheet: whether to measure thickness as well.
        roi: bool (Z, Y, X), or None for everywhere.
    """
    box = bounding_box(reference | predicted)
    slices = box.slices if box else (slice(0),) * 3
    truth, guess = reference[slices], predicted[slices]
    inside = None if roi is None else roi[slices]
    surfaces = surface_of(truth, spacing_mm), surface_of(guess, spacing_mm)
    measured = None if inside is None else corners_of(inside)
    if inside is not None:
        truth, guess = truth & inside, guess & inside
    overlap = mask_overlap(truth, guess, float(np.prod(spacing_mm)))
    scores: Scores = asdict(overlap)
    scores |= _of_surfaces(surface_distances(*surfaces, measured), overlap.dice, tolerances_mm)
    if sheet:
        volumes = (overlap.reference_ml * MM3_PER_ML, overlap.predicted_ml * MM3_PER_ML)
        scores |= _of_thickness(volumes, surfaces, measured)
    return scores


def _of_surfaces(distances: Distances | None, dice: float | None, tolerances_mm: Sequence[float]) -> Scores:
    names = [surface_dice_name(mm) for mm in tolerances_mm]
    if distances is None:
        return {**dict.fromkeys(SURFACE), **dict.fromkeys(names, None if dice is None else 0.0)}
    values = (distances.assd_mm, distances.rmsd_mm, distances.percentile_mm(95), distances.hd_mm)
    shares = [distances.surface_dice(mm) for mm in tolerances_mm]
    return {**dict(zip(SURFACE, values, strict=True)), **dict(zip(names, shares, strict=True))}


def _of_thickness(
    volumes_mm3: tuple[float, float], surfaces: tuple[Surface, Surface], measured: np.ndarray | None
) -> Scores:
    areas = [
        surface.area_mm2 if measured is None else float(surface.areas_mm2[measured].sum(dtype=np.float64))
        for surface in surfaces
    ]
    truth, guess = (volume_over_half_surface_mm(*pair) for pair in zip(volumes_mm3, areas, strict=True))
    difference = None if truth is None or guess is None else guess - truth
    return dict(zip(THICKNESS, (truth, guess, difference), strict=True))
