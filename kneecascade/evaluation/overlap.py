"""Overlap of a predicted with a reference segmentation, label by label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.labels import Labels

MM3_PER_ML = 1000.0


@dataclass(frozen=True)
class Overlap:
    """One label in one case, by counting voxels.

    Attributes:
        dice: 2 |R and P| / (|R| + |P|); 0 where one of both is empty, None where both are.
        iou: |R and P| / |R or P|, the Jaccard index; the same rule for empty labels.
        voe: volumetric overlap error, 1 - iou; None where both are empty.
        reference_ml: volume of the label in the reference.
        predicted_ml: volume of the label in the prediction.
        volume_difference_ml: predicted less reference.
        volume_difference_percent: the difference over the reference's volume; None where that is empty.
    """

    dice: float | None
    iou: float | None
    voe: float | None
    reference_ml: float
    predicted_ml: float
    volume_difference_ml: float
    volume_difference_percent: float | None


def mask_overlap(reference: np.ndarray, predicted: np.ndarray, voxel_mm3: float = 1.0) -> Overlap:
    """Compares two bool masks of one shape."""
    r, p = int(np.count_nonzero(reference)), int(np.count_nonzero(predicted))
    both = int(np.count_nonzero(reference & predicted))
    empty = r + p == 0
    iou = None if empty else both / (r + p - both)
    return Overlap(
        dice=None if empty else 2 * both / (r + p),
        iou=iou,
        voe=None if iou is None else 1 - iou,
        reference_ml=r * voxel_mm3 / MM3_PER_ML,
        predicted_ml=p * voxel_mm3 / MM3_PER_ML,
        volume_difference_ml=(p - r) * voxel_mm3 / MM3_PER_ML,
        volume_difference_percent=100 * (p - r) / r if r else None,
    )


def overlap_per_label(
    reference: np.ndarray, predicted: np.ndarray, labels: Labels, voxel_mm3: float = 1.0
) -> dict[str, Overlap]:
    """Compares every foreground label.

    A label that neither segmentation holds has nothing to score: its Dice and IoU are None, and means
    leave it out. A label that only one of both holds is wholly wrong: 0.

    Args:
        reference: integer (Z, Y, X), file values.
        predicted: integer (Z, Y, X), file values, on the same grid.
        labels: names and file values; values outside them are ignored.
        voxel_mm3: volume of one voxel.

    Returns:
        One overlap a foreground label, by name.

    Raises:
        ValueError: the two shapes differ.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {predicted.shape}")
    values = zip(labels.foreground, labels.values[1:], strict=True)
    return {name: mask_overlap(reference == value, predicted == value, voxel_mm3) for name, value in values}


def dice_per_label(reference: np.ndarray, predicted: np.ndarray, labels: Labels) -> dict[str, float | None]:
    """Returns the Dice of every foreground label; empty labels as in `overlap_per_label`."""
    return {name: overlap.dice for name, overlap in overlap_per_label(reference, predicted, labels).items()}


def label_volumes_ml(array: np.ndarray, labels: Labels, voxel_mm3: float) -> dict[str, float]:
    """Returns the volume of every foreground label in ml; `array` holds file values."""
    values = zip(labels.foreground, labels.values[1:], strict=True)
    return {name: float(np.count_nonzero(array == v) * voxel_mm3 / MM3_PER_ML) for name, v in values}
