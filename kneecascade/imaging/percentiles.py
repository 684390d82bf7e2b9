"""Exact percentiles of large arrays, in a fraction of the time of numpy.percentile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentiles(array: np.ndarray, wanted: Sequence[float]) -> list[float]:
    """Returns what `numpy.percentile(array, wanted)` does, the last bit included.

    One place at a time is sorted out, and each time only what lies beyond the place before: numpy asks for
    all places at once, which takes the slow road through its selection.

    Args:
        array: of floats, finite, at least one; not changed.
        wanted: from 0 to 100, rising.
    """
    values = array.flatten(order="K")
    places = np.asarray(wanted, dtype=np.float64) / values.dtype.type(100) * (values.size - 1)
    found, done = [], 0
    for place in places:
        lower = int(place)
        rest = values[done:]
        rest.partition(lower - done)
        done = lower
        below = values[lower]
        above = values[lower + 1 :].min() if lower + 1 < values.size else below
        # as numpy does: the step in the array's own precision, counted from the nearer of the two
        step, share = float(above - below), place - lower
        near = float(above) - step * (1 - share) if share >= 0.5 else float(below) + step * share
        found.append(float(near))
    return found
