"""What dropping small pieces does to the Dice of a case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.imaging.small_pieces import drop_small_pieces

Counts = np.ndarray
"""Voxels (K, K) of each class in the reference, and in the prediction."""


def case_gains(
    reference: LabelVolume, predicted: np.ndarray, labels: Labels, rules: Sequence[PieceRule]
) -> list[float]:
    """Returns what each rule by itself adds to the Dice of the case, summed over all labels.

    The sum is the label's own gain, but where a piece takes a neighbour's label and changes that as well. A
    label that neither segmentation holds counts 1 here: taking away what is not there at all is a gain.

    Args:
        reference: integer (Z, Y, X), file values.
        predicted: the same, on its grid.
        labels: names and file values.
        rules: to be tried, each alone.

    Returns:
        One gain a rule; 0 where it changes nothing.
    """
    counts = _counts(reference.array, predicted, labels)
    before = _dice(counts)
    voxel_mm3 = reference.geometry.voxel_mm3
    gains = []
    for rule in rules:
        after, lost = drop_small_pieces(predicted, labels, [rule], voxel_mm3)
        if not lost:
            gains.append(0.0)
            continue
        changed = after != predicted
        truth = reference.array[changed]
        moved = _counts(truth, after[changed], labels) - _counts(truth, predicted[changed], labels)
        gains.append(float((_dice(counts + moved) - before).sum()))
    return gains


def _counts(reference: np.ndarray, predicted: np.ndarray, labels: Labels) -> Counts:
    """Returns voxels by class in both; values that are no label count as background."""
    lookup = np.zeros(int(max(labels.values)) + 1, dtype=np.int64)
    lookup[list(labels.values)] = np.arange(labels.count)
    classes = [lookup[np.where(_known(a, lookup.size), a, 0).ravel()] for a in (reference, predicted)]
    joint = np.bincount(classes[0] * labels.count + classes[1], minlength=labels.count**2)
    return joint.reshape(labels.count, labels.count)


def _known(array: np.ndarray, end: int) -> np.ndarray:
    return np.asarray((array >= 0) & (array < end))


def _dice(counts: Counts) -> np.ndarray:
    """Returns the Dice of each foreground label; 1 where neither holds it."""
    sizes = counts.sum(axis=0) + counts.sum(axis=1)
    dice = np.where(sizes > 0, 2 * np.diag(counts) / np.maximum(sizes, 1), 1.0)
    return dice[1:]
