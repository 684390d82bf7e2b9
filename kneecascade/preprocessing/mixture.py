"""The coarse stage's word inside the region: its probabilities mixed into the fine stage's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.weights import apply_weights, linear_weights

Shares = Sequence[float]
"""Of the coarse stage in each class's probabilities, 0 to below 1; none given, nothing is mixed in."""


def class_shares(plan: CascadePlan, share: float, thick: float) -> tuple[float, ...]:
    """Returns the coarse stage's share in each class.

    Args:
        plan: says which labels are thin on the coarse grid.
        share: in those, and in the background.
        thick: in the other labels, which the coarse stage draws nearly as well.
    """
    thin = plan.coarse.thin_labels
    return tuple(share if k == 0 or name in thin else thick for k, name in enumerate(plan.labels.names))


def mix_in(fine: np.ndarray, coarse: np.ndarray, box: Box, trace: Trace, shares: Shares) -> None:
    """Mixes the coarse stage's probabilities into the fine ones, in place.

    Where classes have different shares a voxel's probabilities no longer sum to 1; their order counts.

    Args:
        fine: float32 (K, z, y, x) on a box of the fine grid; changed.
        coarse: (K, z, y, x) on the whole coarse grid.
        box: the box.
        trace: of the case.
        shares: of the coarse stage, one a class, from 0 for nothing to 1 for the coarse stage alone.
    """
    if not any(shares) or not fine.size:
        return
    grids = zip(trace.coarse_shape_zyx, trace.fine_shape_zyx, box.slices, strict=True)
    rows = [linear_weights(few, many)[s] for few, many, s in grids]
    for mine, theirs, share in zip(fine, coarse, shares, strict=True):
        mine *= np.float32(1 - share)
        mine += np.float32(share) * apply_weights(theirs, rows)


def taken_out(joint: np.ndarray, coarse: np.ndarray, shares: Shares) -> np.ndarray:
    """Returns the fine stage's own probabilities (K, ...) from those that the coarse stage was mixed into.

    Args:
        joint: as `mix_in` leaves them.
        coarse: of the coarse stage at the same places.
        shares: as for `mix_in`, all below 1.
    """
    if not any(shares):
        return joint
    mixed = np.reshape(np.asarray(shares, dtype=np.float32), (-1, *[1] * (joint.ndim - 1)))
    return (joint - mixed * coarse) / (1 - mixed)
