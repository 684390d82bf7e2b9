"""Checks what a plan says about filters, normalisation and sides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kneecascade.core.filters import CurvatureFilter, ImageFilter, MedianFilter, N4Filter, NlmFilter
from kneecascade.core.plan import CascadePlan
from kneecascade.imaging.normalize import LANDMARKS
from kneecascade.planning.plan_bounds import Check

STABLE_TIME_STEP = 0.0625
MOST_FILTERS = 10


def check_intensities(plan: CascadePlan) -> Iterator[Check]:
    """Yields checks: whether one holds, the field, what is wanted of it."""
    yield len(plan.denoise) <= MOST_FILTERS, "denoise", f"there must be at most {MOST_FILTERS} filters"
    for k, chosen in enumerate(plan.denoise):
        yield from _filter(chosen, f"denoise[{k}]")
    standards, channels = plan.histogram_landmarks, len(plan.channel_names)
    fitted = "histogram" in plan.normalization
    yield (
        len(standards) == channels or not (standards or fitted),
        "histogram_landmarks",
        (f"needs {channels} lists, one a channel"),
    )
    for k, (standard, choice) in enumerate(zip(standards, plan.normalization, strict=False)):
        where = f"histogram_landmarks[{k}]"
        wanted = LANDMARKS if choice == "histogram" else 0
        yield len(standard) == wanted, where, f"needs {wanted} values, as normalization[{k}] is {choice}"
        yield all(a < b for a, b in pairwise(standard)), where, "must rise"
    mirrored = plan.canonical_side == "none" or 2 not in plan.mirror_axes
    yield mirrored, "mirror_axes", "must leave 2 out where canonical_side is not none"


def _filter(chosen: ImageFilter, where: str) -> Iterator[Check]:
    match chosen:
        case MedianFilter():
            yield _between(chosen, where, "radius_voxels", 1, 10)
        case CurvatureFilter():
            yield _between(chosen, where, "iterations", 1, 1000)
            steady = 0 < chosen.time_step <= STABLE_TIME_STEP
            yield steady, f"{where}.time_step", f"must be above 0, at most {STABLE_TIME_STEP}"
            yield 0 < chosen.conductance <= 100, f"{where}.conductance", "must be above 0, at most 100"
        case NlmFilter():
            yield _between(chosen, where, "patch_voxels", 1, 15)
            yield _between(chosen, where, "distance_voxels", 1, 20)
            yield 0 < chosen.strength <= 10, f"{where}.strength", "must be above 0, at most 10"
        case N4Filter():
            yield 0 < chosen.spacing_mm <= 50, f"{where}.spacing_mm", "must be above 0, at most 50"
            yield _between(chosen, where, "iterations", 1, 1000)
            yield _between(chosen, where, "levels", 1, 8)


def _between(chosen: ImageFilter, where: str, field: str, low: int, high: int) -> Check:
    return low <= getattr(chosen, field) <= high, f"{where}.{field}", f"must be from {low} to {high}"
