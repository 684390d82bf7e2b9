"""Sampled voxels of every class, for patches that shall be centred on one."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

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
    whole = (slice(0, n) for n in labels_zyx.shape)
    extents = [tuple(whole), *ndimage.find_objects(labels_zyx, max_label=n_classes - 1)]
    result = {}
    for index, extent in enumerate(extents):
        if extent is None or (index == 0 and not (labels_zyx == 0).any()):
            continue
        start = np.array([s.start for s in extent])
        found = _sample(labels_zyx[extent] == index, count, rng)
        result[index] = (found + start).astype(np.int16)
    return result


def _sample(mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws places in a mask: by trial where it is dense, else out of the list of all."""
    trials = np.unique(rng.integers(0, mask.size, size=8 * count))
    hits = trials[mask.reshape(-1)[trials]]
    if len(hits) < count:
        hits = np.flatnonzero(mask)
    chosen = np.sort(rng.permutation(hits)[:count])
    return np.stack(np.unravel_index(chosen, mask.shape), axis=1)
