"""The coarse stage's word inside the region: its probabilities mixed into the fine stage's."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.core.trace import Trace
from kneecascade.imaging.weights import apply_weights, linear_weights


def mix_in(fine: np.ndarray, coarse: np.ndarray, box: Box, trace: Trace, share: float) -> None:
    """Mixes the coarse stage's probabilities into the fine ones, in place.

    Args:
        fine: float32 (K, z, y, x) on a box of the fine grid; changed.
        coarse: (K, z, y, x) on the whole coarse grid.
        box: the box.
        trace: of the case.
        share: of the coarse stage, from 0 for nothing to 1 for the coarse stage alone.
    """
    if share <= 0 or not fine.size:
        return
    grids = zip(trace.coarse_shape_zyx, trace.fine_shape_zyx, box.slices, strict=True)
    rows = [linear_weights(few, many)[s] for few, many, s in grids]
    for mine, theirs in zip(fine, coarse, strict=True):
        mine *= np.float32(1 - share)
        mine += np.float32(share) * apply_weights(theirs, rows)
