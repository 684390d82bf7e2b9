"""Normalising grey values, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kneecascade.core.plan import Normalization
from kneecascade.imaging.percentiles import percentiles
from kneecascade.imaging.stacking import stacked

PERCENTILES = (0.5, 99.5)
INNER_PERCENTILES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
LANDMARKS = len(INNER_PERCENTILES) + 2


@dataclass(frozen=True)
class Scale:
    """What normalising does to each grey value of a channel, once its voxels were looked at.

    Attributes:
        ends: grey values that others are clipped to; None to clip none.
        mean: is taken off.
        factor: multiplies what remains.
        knots: grey values and what they become, linearly between them; None for what the others say.
    """

    ends: tuple[float, float] | None = None
    mean: float = 0.0
    factor: float = 1.0
    knots: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Returns any part of the channel, normalised: float32, never a view."""
        result = np.array(part, dtype=np.float32, order="C")
        if self.knots:
            return np.interp(result, *self.knots).astype(np.float32)
        if self.ends:
            np.clip(result, np.float32(self.ends[0]), np.float32(self.ends[1]), out=result)
        if self.mean or self.factor != 1:
            result -= np.float32(self.mean)
            result *= np.float32(self.factor)
        return result


@dataclass(frozen=True, eq=False)
class NormalizedChannel:
    """A channel (Z, Y, X) of which parts are normalised when they are sliced: half the memory of both."""

    grey: np.ndarray
    scale: Scale

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the channel."""
        return self.grey.shape

    def __getitem__(self, where: Any) -> np.ndarray:
        """Returns a part, float32."""
        return self.scale(self.grey[where])


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
    return stacked([channel[...] for channel in normalized_channels(array_czyx, choices, standards)])


def normalized_channels(
    array_czyx: np.ndarray,
    choices: tuple[Normalization, ...],
    standards: Sequence[Sequence[float]] = (),
) -> list[NormalizedChannel]:
    """Returns what `normalize` does, done when and where it is sliced; the array is kept."""
    given = standards or ((),) * len(choices)
    triples = zip(array_czyx, choices, given, strict=True)
    return [
        NormalizedChannel(channel, _scale(channel, choice, standard)) for channel, choice, standard in triples
    ]


def histogram_landmarks(channel: np.ndarray) -> np.ndarray:
    """Returns the grey values by which histograms are brought together, float64, not falling.

    The 0.5th percentile of all voxels; the deciles and the 99.5th percentile of those brighter than the mean,
    which are tissue: how much air a field of view holds should not matter. After Nyul et al. 2000,
    doi:10.1109/42.836373.

    Args:
        channel: (Z, Y, X), finite, of more than one value.
    """
    tissue = channel[channel > channel.mean(dtype=np.float64)]
    low = percentiles(channel, PERCENTILES[:1])
    inner = percentiles(tissue, (*INNER_PERCENTILES, PERCENTILES[1]))
    return np.array([*low, *inner], dtype=np.float64)


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


def _scale(channel: np.ndarray, choice: Normalization, standard: Sequence[float]) -> Scale:
    if choice == "none":
        return Scale()
    low, high = percentiles(channel, PERCENTILES) if choice == "percentile_zscore" else (None, None)
    ends = None if low is None or high is None else (low, high)
    mean, std = mean_and_std(Scale(ends)(channel))
    if _varies_not(mean, std):
        return Scale(ends, factor=0.0, mean=0.0)
    if choice == "histogram":
        return Scale(knots=rising(histogram_landmarks(channel), standard))
    return Scale(ends, mean, 1 / std)


def _varies_not(mean: float, std: float) -> bool:
    return not std > 1e-6 * max(1.0, abs(mean))
