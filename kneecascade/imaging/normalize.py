"""Normalising grey values, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.plan import Normalization
from kneecascade.imaging.stacking import stacked

PERCENTILES = (0.5, 99.5)
INNER_PERCENTILES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
LANDMARKS = len(INNER_PERCENTILES) + 2


def normalize(
    array_czyx: np.ndarray,
    choices: tuple[Normalization, ...],
    standards: Sequence[Sequence[float]] = (),
) -> np.ndarray:
    """Normalises every channel over all its voxels.

    Args:
        array_czyx: (C, Z, Y, X), finite.
        choices: one a channel. "percentile_zscore" clips to the 0.5th and 99.5th percentile, then
            takes the z-score; "zscore" takes it at once; "histogram" brings the channel's landmarks to
            the standard's; "none" leaves the values.
        standards: the standard's landmarks, one list a channel, empty for channels of another choice;
            none given where no choice is "histogram".

    Returns:
        float32 (C, Z, Y, X); zeros for a channel of constant value, unless its choice is "none".
    """
    given = standards or ((),) * len(choices)
    triples = zip(array_czyx, choices, given, strict=True)
    return stacked([_normalize(channel, choice, standard) for channel, choice, standard in triples])


def histogram_landmarks(channel: np.ndarray) -> np.ndarray:
    """Returns the grey values by which histograms are brought together, float64, not falling.

    The 0.5th percentile of all voxels; the deciles and the 99.5th percentile of those brighter than the mean,
    which are tissue: how much air a field of view holds should not matter. After Nyul et al. 2000,
    doi:10.1109/42.836373.

    Args:
        channel: (Z, Y, X), finite, of more than one value.
    """
    tissue = channel[channel > channel.mean(dtype=np.float64)]
    low = np.percentile(channel, PERCENTILES[0])
    inner = np.percentile(tissue, (*INNER_PERCENTILES, PERCENTILES[1]))
    return np.array([low, *inner], dtype=np.float64)


def to_standard(channel: np.ndarray, standard: Sequence[float]) -> np.ndarray:
    """Maps a channel so that its landmarks become the standard's, linearly between them.

    Values beyond the first and last landmark are clipped.

    Returns:
        float32 of the channel's shape.
    """
    return np.interp(channel, *rising(histogram_landmarks(channel), standard)).astype(np.float32)


def rising(landmarks: np.ndarray, standard: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places and values of the map from landmarks to a standard.

    Where landmarks fall together (few grey values) the map takes the middle of what they stand for.
    """
    places, which = np.unique(landmarks, return_inverse=True)
    return places, np.bincount(which, weights=np.asarray(standard)) / np.bincount(which)


def mean_and_std(channel: np.ndarray) -> tuple[float, float]:
    """Returns both in float64, a slice at a time: the whole in float64 would take twice its memory."""
    mean = float(channel.mean(dtype=np.float64))
    squares = 0.0
    for part in channel:
        away = part.astype(np.float64).ravel() - mean
        squares += float(away @ away)
    return mean, float(np.sqrt(squares / channel.size))


def is_constant(channel: np.ndarray) -> bool:
    """Says whether a channel holds one value, up to rounding."""
    return _varies_not(*mean_and_std(channel))


def _normalize(channel: np.ndarray, choice: Normalization, standard: Sequence[float]) -> np.ndarray:
    channel = np.ascontiguousarray(channel, dtype=np.float32)
    if choice == "none":
        return channel
    clipped = choice == "percentile_zscore"
    if clipped:
        low, high = np.percentile(channel, PERCENTILES)
        channel = np.clip(channel, np.float32(low), np.float32(high))
    mean, std = mean_and_std(channel)
    if _varies_not(mean, std):
        return np.zeros_like(channel)
    if choice == "histogram":
        return to_standard(channel, standard)
    result = channel if clipped else channel.copy()
    result -= np.float32(mean)
    result *= np.float32(1 / std)
    return result


def _varies_not(mean: float, std: float) -> bool:
    return not std > 1e-6 * max(1.0, abs(mean))
