"""Bootstrap interval of a mean, whole subjects drawn with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TAIL_PERCENT = 2.5


@dataclass(frozen=True)
class Resampling:
    """How often and from which seed subjects are drawn.

    Attributes:
        draws: bootstrap samples.
        seed: the same seed gives the same interval.
    """

    draws: int = 2000
    seed: int = 0


def mean_interval(
    values: Sequence[float], owners: Sequence[str], resampling: Resampling | None = None
) -> tuple[float | None, float | None]:
    """Returns the 95 % percentile interval of the mean over cases.

    Args:
        values: one a case.
        owners: the subject of each case; all cases of a subject are drawn together.
        resampling: None for the defaults.

    Returns:
        Lower and upper end; None, None for fewer than two subjects. For fewer than ten or so the
        interval is too narrow.
    """
    keys = sorted(set(owners))
    if len(keys) < 2:
        return None, None
    resampling = resampling or Resampling()
    index = np.array([keys.index(owner) for owner in owners])
    sums = np.bincount(index, weights=np.asarray(values, dtype=float))
    counts = np.bincount(index)
    generator = np.random.default_rng(resampling.seed)
    drawn = generator.multinomial(len(keys), np.full(len(keys), 1 / len(keys)), resampling.draws)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.percentile(means, [TAIL_PERCENT, 100 - TAIL_PERCENT])
    return float(low), float(high)
