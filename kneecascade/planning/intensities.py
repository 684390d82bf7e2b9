"""What happens to grey values: filters, normalisation, the standard histogram, what the filters cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from kneecascade.core.case import Case
from kneecascade.core.filters import FILTERS, ImageFilter
from kneecascade.core.plan import CascadePlan, Normalization
from kneecascade.errors import SettingsError
from kneecascade.imaging.denoise import denoise
from kneecascade.imaging.files import read_volume
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical
from kneecascade.planning.histogram import fit_standard

TIMED_CASES = 3
NO_FILTER = "none"


def parse_filters(text: str) -> tuple[ImageFilter, ...]:
    """Returns the filters of "none", "curvature" or a chain such as "n4+curvature", in their order.

    Raises:
        SettingsError: there is no such filter, or one is named twice.
    """
    if text == NO_FILTER:
        return ()
    names = text.split("+")
    for name in names:
        if name not in FILTERS:
            raise SettingsError(
                f"--denoise {text}: choose {NO_FILTER}, {', '.join(FILTERS)} or a chain like n4+median"
            )
        if names.count(name) > 1:
            raise SettingsError(f"--denoise {text}: {name} is there twice")
    return tuple(FILTERS[name] for name in names)


def parse_normalizations(words: Sequence[str], channels: int) -> tuple[Normalization, ...]:
    """Returns one normalisation a channel; a single word stands for all channels.

    Raises:
        SettingsError: there is no such normalisation, or not one for each channel.
    """
    known = get_args(Normalization)
    for word in words:
        if word not in known:
            raise SettingsError(f"--normalization {word}: choose among {', '.join(known)}")
    if len(words) not in (1, channels):
        raise SettingsError(
            f"--normalization: {len(words)} choices for {channels} channels; give one or {channels}"
        )
    return tuple(words) * (channels if len(words) == 1 else 1)  # type: ignore[return-value]


def with_intensities(
    plan: CascadePlan,
    cases: Sequence[Case],
    filters: tuple[ImageFilter, ...],
    choices: tuple[Normalization, ...] | None,
    known: CascadePlan | None,
    workers: int = 1,
) -> CascadePlan:
    """Returns the plan with its filters and normalisations, measured and fitted where they need it.

    Args:
        plan: as made from the fingerprint.
        cases: training cases to measure and fit with.
        filters: to be applied.
        choices: one normalisation a channel; None for the plan's own.
        known: an earlier plan of the same data; where its choices are the same its measurements serve.
        workers: processes.
    """
    wanted = replace(plan, denoise=filters, normalization=choices or plan.normalization)
    if known and (known.denoise, known.normalization) == (wanted.denoise, wanted.normalization):
        seconds, standards = known.denoise_seconds, known.histogram_landmarks
    else:
        seconds = mean_filter_seconds(cases, filters)
        standards = fit_standard(cases, wanted.normalization, filters, workers)
    return replace(wanted, denoise_seconds=seconds, histogram_landmarks=standards)


def mean_filter_seconds(cases: Sequence[Case], filters: tuple[ImageFilter, ...]) -> float:
    """Returns the mean wall-clock seconds of the filters over three cases at most; 0 for no filter."""
    if not filters or not cases:
        return 0.0
    count = min(TIMED_CASES, len(cases))
    total = 0.0
    for k in range(count):
        volume = read_volume(cases[k * len(cases) // count].images)
        turned = to_canonical(volume.array, *canonical_axes(volume.geometry))
        start = time.perf_counter()
        denoise(turned, canonical_geometry(volume.geometry).spacing_mm, filters)
        total += time.perf_counter() - start
    return round(total / count, 2)
