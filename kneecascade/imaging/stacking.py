"""Channels put into one array, without a copy where there is but one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stacked(channels: Sequence[np.ndarray]) -> np.ndarray:
    """Returns (C, Z, Y, X); shares memory with a single channel."""
    return channels[0][None] if len(channels) == 1 else np.stack(channels)
