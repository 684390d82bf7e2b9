"""How smooth the borders of labels are, and whether they lie on edges of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from kneecascade.core.geometry import Float3
from kneecascade.evaluation.surface import surface_of
from kneecascade.imaging.components import bounding_box

VOTERS = 27
LEAST_SHARE = 0.1
LEAST_FACES = 200
"""Borders with less of a label's faces, or with fewer of them, are too short to judge."""


def roughnesses(classes: np.ndarray, spacing_mm: Float3, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yields each label's surface over that of the label after a majority vote of 3 x 3 x 3 voxels.

    A smooth surface has about 1; single voxels that stand out or are missing add area that the vote takes
    away. A label that the vote leaves nothing of has no value.

    Args:
        classes: class indices (Z, Y, X).
        spacing_mm: (z, y, x).
        names: of the classes; the first is background.
    """
    for index, name in enumerate(names[1:], start=1):
        mask = classes == index
        box = bounding_box(mask)
        if box is None:
            continue
        part = mask[box.slices]
        smooth = surface_of(_voted(part), spacing_mm).area_mm2
        if smooth:
            yield name, surface_of(part, spacing_mm).area_mm2 / smooth


def _voted(mask: np.ndarray) -> np.ndarray:
    """Returns where most of 3 x 3 x 3 voxels are in a mask, a voxel wider each way; background beyond."""
    votes = np.pad(mask, 2).astype(np.uint8)
    votes = votes[:-2] + votes[1:-1] + votes[2:]
    votes = votes[:, :-2] + votes[:, 1:-1] + votes[:, 2:]
    return votes[..., :-2] + votes[..., 1:-1] + votes[..., 2:] > VOTERS // 2


def edges(classes: np.ndarray, grey: np.ndarray, names: Sequence[str], where: str) -> dict[str, float]:
    """Returns how much more the image changes across borders than a voxel beside them.

    The grey difference across a border's voxel faces, over that and the mean of the differences one voxel
    to either side: one half where the image does not know of the border, more where it has an edge there.

    Args:
        classes: class indices (Z, Y, X).
        grey: the image (Z, Y, X).
        names: of the classes; the first is background.
        where: the channel, in words.

    Returns:
        By the two classes, where at least a tenth of the faces of one of the labels lie.
    """
    count = len(names)
    across, beside, faces = (np.zeros(count * count) for _ in range(3))
    for axis in range(3):
        kinds = np.moveaxis(classes, axis, 0)
        steps = np.abs(np.diff(np.moveaxis(grey, axis, 0), axis=0)).astype(np.float32)
        low, high = kinds[1:-2], kinds[2:-1]
        there = low != high
        pairs = low[there].astype(np.int64) * count + high[there]
        sides = (steps[:-2][there] + steps[2:][there]) / 2
        faces += np.bincount(pairs, minlength=count * count)
        across += np.bincount(pairs, steps[1:-1][there], minlength=count * count)
        beside += np.bincount(pairs, sides, minlength=count * count)
    across, beside, faces = (_both_ways(sums, count) for sums in (across, beside, faces))
    found = {}
    for a, b in combinations(range(count), 2):
        least = min(faces[label].sum() for label in (a, b) if label)
        total = across[a, b] + beside[a, b]
        if faces[a, b] >= max(LEAST_FACES, LEAST_SHARE * least) and total > 0:
            found[f"{names[b]} and {names[a]} in {where}"] = float(across[a, b] / total)
    return found


def _both_ways(sums: np.ndarray, count: int) -> np.ndarray:
    table = sums.reshape(count, count)
    return table + table.T
