"""Fits the standard histogram that "histogram" normalisation brings every image to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kneecascade.core.case import Case
from kneecascade.core.filters import ImageFilter
from kneecascade.core.plan import Normalization
from kneecascade.errors import SettingsError
from kneecascade.imaging.denoise import denoise
from kneecascade.imaging.files import read_volume
from kneecascade.imaging.normalize import histogram_landmarks, is_constant, rising
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical
from kneecascade.planning.processes import map_in_processes

QUANTILES = np.linspace(0, 100, 201)


@dataclass(frozen=True, eq=False)
class ChannelHistogram:
    """One channel of one case: its landmarks, and quantiles that stand for all of its voxels."""

    landmarks: np.ndarray
    quantiles: np.ndarray


def fit_standard(
    cases: Sequence[Case],
    choices: Sequence[Normalization],
    filters: tuple[ImageFilter, ...] = (),
    workers: int = 1,
) -> tuple[tuple[float, ...], ...]:
    """Fits the standard histograms to training cases.

    Each case's landmarks are brought linearly to 0 for the first and 1 for the last, then averaged; the mean
    is shifted and scaled so that training images come out with mean 0 and standard deviation 1 together.

    Args:
        cases: to fit to; images alone are read.
        choices: the normalisation of each channel.
        filters: applied before, as `preprocessing.transform.prepare` does.
        workers: processes.

    Returns:
        Landmarks, one list a channel, rising; empty for channels of another choice. An empty tuple where no
        choice is "histogram".
    """
    channels = tuple(k for k, choice in enumerate(choices) if choice == "histogram")
    if not channels:
        return ()
    measure = partial(_measure, channels=channels, filters=filters)
    found = map_in_processes(measure, cases, workers, "Histograms")
    standards: list[tuple[float, ...]] = [()] * len(choices)
    for place, channel in enumerate(channels):
        histograms = [measured[place] for measured in found]
        standards[channel] = standard_of([h for h in histograms if h is not None])
    return tuple(standards)


def standard_of(histograms: Sequence[ChannelHistogram]) -> tuple[float, ...]:
    """Returns the standard's landmarks; see `fit_standard`.

    Raises:
        SettingsError: no case has landmarks that differ.
    """
    wide = [h for h in histograms if h.landmarks[-1] > h.landmarks[0]]
    if not wide:
        raise SettingsError("--normalization histogram: no training image varies enough; choose another")
    mean = np.mean([(h.landmarks - h.landmarks[0]) / np.ptp(h.landmarks) for h in wide], axis=0)
    # landmarks that fall together in all cases are held apart, so that the standard rises
    mean = mean + 1e-4 * np.arange(len(mean))
    mapped = np.concatenate([np.interp(h.quantiles, *rising(h.landmarks, mean)) for h in wide])
    return tuple(float(f"{value:.6g}") for value in (mean - mapped.mean()) / mapped.std())


def _measure(
    case: Case, channels: tuple[int, ...], filters: tuple[ImageFilter, ...]
) -> list[ChannelHistogram | None]:
    volume = read_volume(case.images)
    turned = to_canonical(volume.array[list(channels)], *canonical_axes(volume.geometry))
    clean = denoise(turned, canonical_geometry(volume.geometry).spacing_mm, filters)
    return [
        None
        if is_constant(channel)
        else ChannelHistogram(histogram_landmarks(channel), np.percentile(channel, QUANTILES))
        for channel in clean
    ]
