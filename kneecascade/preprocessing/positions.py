"""Sampled voxels of every class, for patches that shall be centred on one."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.imaging.components import bounding_boxes

MAX_POSITIONS = 2000
SEED = 20261


def sample_positions(
    labels_zyx: np.ndarray, n_classes: int, count: int = MAX_POSITIONS
) -> dict[int, np.ndarray]:
    """Samples up to `count` voxels of every class, evenly at random, always the same ones.

    Args:
        labels_zyx: class indices (Z, Y, X).
        n_classes: background included.
        count: at most this many voxels a class.

    Returns:
        class index to int16 (n, 3) of z, y, x; a class that is absent has no entry.
    """
    rng = np.random.default_rng(SEED)
    boxes = {0: Box.whole(labels_zyx.shape), **bounding_boxes(labels_zyx, n_classes)}
    result = {}
    for index, box in boxes.items():
        mask = labels_zyx[box.slices] == index
        if mask.any():
            result[index] = (_sample(mask, count, rng) + np.array(box.start_zyx)).astype(np.int16)
    return result


def _sample(mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws places in a mask: by trial where it is dense, else out of the list of all."""
    trials = np.unique(rng.integers(0, mask.size, size=8 * count))
    hits = trials[mask.reshape(-1)[trials]]
    if len(hits) < count:
        hits = np.flatnonzero(mask)
    chosen = np.sort(rng.permutation(hits)[:count])
    return np.stack(np.unravel_index(chosen, mask.shape), axis=1)
