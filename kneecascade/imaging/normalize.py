"""Normalising grey values, channel by channel."""

from __future__ import annotations

import numpy as np

from kneecascade.core.plan import Normalization

PERCENTILES = (0.5, 99.5)


def normalize(array_czyx: np.ndarray, choices: tuple[Normalization, ...]) -> np.ndarray:
    """Normalises every channel over all its voxels.

    Args:
        array_czyx: (C, Z, Y, X), finite.
        choices: one a channel. "percentile_zscore" clips to the 0.5th and 99.5th percentile, then
            takes the z-score; "zscore" takes it at once; "none" leaves the values.

    Returns:
        float32 (C, Z, Y, X); zeros for a channel of constant value, unless its choice is "none".
    """
    pairs = zip(array_czyx, choices, strict=True)
    return np.stack([_normalize(channel, choice) for channel, choice in pairs])


def _normalize(channel: np.ndarray, choice: Normalization) -> np.ndarray:
    channel = np.ascontiguousarray(channel, dtype=np.float32)
    if choice == "none":
        return channel
    if choice == "percentile_zscore":
        low, high = np.percentile(channel, PERCENTILES)
        channel = np.clip(channel, np.float32(low), np.float32(high))
    mean = channel.mean(dtype=np.float64)
    std = channel.std(dtype=np.float64)
    if not std > 1e-6 * max(1.0, abs(mean)):
        return np.zeros_like(channel)
    return (channel - np.float32(mean)) * np.float32(1 / std)
