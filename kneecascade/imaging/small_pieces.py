"""Takes small pieces of labels out of a segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cc3d
import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.imaging.components import bounding_box, dilate_box


@dataclass(frozen=True, eq=False)
class Drop:
    """Voxels of one label that lose it.

    Attributes:
        label: name of the label.
        box: holds them all.
        mask: bool, in the box.
    """

    label: str
    box: Box
    mask: np.ndarray


def drop_small_pieces(
    labels_zyx: np.ndarray, labels: Labels, rules: Sequence[PieceRule], voxel_mm3: float
) -> tuple[np.ndarray, dict[str, float]]:
    """Keeps of every label what its rule says.

    A piece that goes takes the label that more than half of the voxels beside it have (face to face, those
    that go as well not counted), and becomes background where none has: a speck of cartilage inside a bone
    is bone, one in the air is air. The order of the rules changes nothing.

    Args:
        labels_zyx: integer (Z, Y, X), file values; not changed.
        labels: names and file values.
        rules: at most one a label.
        voxel_mm3: volume of a voxel.

    Returns:
        The array, a copy of the same kind where anything changed, and the volume in mm3 that each label lost;
        labels that lost nothing are not named.
    """
    drops = [d for rule in rules if (d := find_small_pieces(labels_zyx, labels, rule, voxel_mm3)) is not None]
    if not drops:
        return labels_zyx, {}
    going = np.zeros(labels_zyx.shape, dtype=bool)
    for drop in drops:
        going[drop.box.slices] |= drop.mask
    result = labels_zyx.copy()
    for drop in drops:
        _fill(result, labels_zyx, going, drop)
    return result, {drop.label: int(np.count_nonzero(drop.mask)) * voxel_mm3 for drop in drops}


def find_small_pieces(
    labels_zyx: np.ndarray, labels: Labels, rule: PieceRule, voxel_mm3: float
) -> Drop | None:
    """Returns the voxels of a label that its rule drops; None where it drops none.

    Of several largest pieces of one size the first is kept, in the order of the array.
    """
    mask = labels_zyx == labels.values[labels.index(rule.label)]
    box = bounding_box(mask)
    if box is None:
        return None
    part = np.ascontiguousarray(mask[box.slices])
    pieces = cc3d.connected_components(part, connectivity=26)
    counts = np.bincount(pieces.ravel())[1:]
    if rule.keep == "largest":
        kept = np.arange(len(counts)) == int(np.argmax(counts))
    else:
        kept = counts * voxel_mm3 >= rule.least_mm3
    if kept.all():
        return None
    return Drop(rule.label, box, part & ~np.concatenate([[False], kept])[pieces])


def _fill(result: np.ndarray, before: np.ndarray, going: np.ndarray, drop: Drop) -> None:
    """Gives every piece of a drop the label around it."""
    pieces = cc3d.connected_components(drop.mask, connectivity=26)
    for k, slices in enumerate(cc3d.statistics(pieces)["bounding_boxes"][1:], start=1):
        starts = [s.start + a for s, a in zip(slices, drop.box.start_zyx, strict=True)]
        stops = [s.stop + a for s, a in zip(slices, drop.box.start_zyx, strict=True)]
        tight = Box((starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2]))
        wide = dilate_box(tight, (1, 1, 1), (before.shape[0], before.shape[1], before.shape[2]))
        piece = np.zeros(wide.shape_zyx, dtype=bool)
        inside = tuple(
            slice(a - b, a - b + n)
            for a, b, n in zip(tight.start_zyx, wide.start_zyx, tight.shape_zyx, strict=True)
        )
        piece[inside] = pieces[slices] == k
        beside = _beside(piece) & ~going[wide.slices]
        result[wide.slices][piece] = _most(before[wide.slices][beside])


def _beside(piece: np.ndarray) -> np.ndarray:
    """Returns the voxels that share a face with a piece and are not in it."""
    grown = np.zeros_like(piece)
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        grown[tuple(low)] |= piece[tuple(high)]
        grown[tuple(high)] |= piece[tuple(low)]
    return grown & ~piece


def _most(values: np.ndarray) -> int:
    """Returns the value that more than half have; 0 where none has, or there are none."""
    if not values.size:
        return 0
    found, counts = np.unique(values, return_counts=True)
    k = int(np.argmax(counts))
    return int(found[k]) if 2 * counts[k] > values.size else 0
