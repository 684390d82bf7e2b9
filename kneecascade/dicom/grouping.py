"""Frames to volumes, volumes of several echoes to sets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kneecascade.core.geometry import Geometry
from kneecascade.dicom.frame import Frame, Series
from kneecascade.dicom.header import OTHERS
from kneecascade.dicom.side import Side
from kneecascade.dicom.stack import MIN_SLICES, Refusal, Stack, at_one_place, make_stack

POSITION_TOLERANCE_MM = 0.05
T = TypeVar("T")


@dataclass(frozen=True)
class ImageSet:
    """Volumes that are echoes of one acquisition on one grid; mostly just one.

    Attributes:
        stacks: by echo time.
        echoes: a number each, as --echo names it: EchoNumbers, else 1, 2 and so on by echo time.
    """

    stacks: tuple[Stack, ...]
    echoes: tuple[int, ...]

    @property
    def series(self) -> Series:
        """Series of the first echo."""
        return self.stacks[0].series

    @property
    def refusal(self) -> Refusal | None:
        """Why it cannot be used, or None; a refused volume is alone in its set."""
        return self.stacks[0].refusal

    @property
    def side(self) -> Side:
        """Side of the first echo."""
        return self.stacks[0].side


def group(frames: Iterable[Frame]) -> list[ImageSet]:
    """Makes sets of frames: by series, image type, echo; then echoes that share their grid.

    Returns:
        Sets in order of patient, study, series number and part.
    """
    stacks = [stack for part in _by(frames, lambda f: f.series.uid) for stack in _stacks_of_series(part)]
    usable = [stack for stack in stacks if not stack.refusal]
    sets = [ImageSet((stack,), (1,)) for stack in stacks if stack.refusal]
    for alike in _by(usable, _acquisition):
        for same_grid in _same_grid(alike):
            sets += _echo_sets(same_grid)
    return sorted(sets, key=_order)


def _stacks_of_series(frames: Sequence[Frame]) -> list[Stack]:
    """Splits a series by image type and echo, then by what else tells images at one place apart."""
    types = _by(frames, lambda frame: frame.image_type)
    stacks = []
    for alike in types:
        part = _distinct_words(alike[0], frames) if len(types) > 1 else ""
        for echo in _by(alike, _echo):
            for note, images in _apart(echo):
                stacks.append(make_stack(images, ", ".join(text for text in (part, note) if text)))
    return stacks


def _echo(frame: Frame) -> Hashable:
    if frame.echo_number is not None:
        return frame.echo_number
    return None if frame.echo_time_ms is None else round(frame.echo_time_ms, 2)


def _distinct_words(frame: Frame, frames: Sequence[Frame]) -> str:
    """Returns the words of an image type that not all images of the series share."""
    shared = set.intersection(*(set(other.image_type) for other in frames))
    return " ".join(word for word in frame.image_type if word not in shared) or "other"


def _apart(frames: Sequence[Frame]) -> list[tuple[str, list[Frame]]]:
    """Splits frames that lie at one place, such as time points, where a tag makes whole volumes of them."""
    if at_one_place(frames):
        keys: list[tuple[str, Callable[[Frame], Hashable]]] = [("EchoTime", lambda f: f.echo_time_ms)]
        keys += [(name, _other(k)) for k, name in enumerate(OTHERS)]
        for name, key in keys:
            parts = _by(frames, key)
            # an echo may lack a slice, but what else tells images apart must make equal volumes
            even = name == "EchoTime" or len({len(part) for part in parts}) == 1
            whole = even and min(len(part) for part in parts) >= MIN_SLICES
            if len(parts) > 1 and whole and not any(map(at_one_place, parts)):
                # an echo is told by its number or time already
                return [("" if name == "EchoTime" else f"{name} {key(p[0])}", p) for p in parts]
    return [("", list(frames))]


def _other(index: int) -> Callable[[Frame], Hashable]:
    return lambda frame: frame.others[index]


def _acquisition(stack: Stack) -> Hashable:
    """What echoes of one acquisition have in common besides their grid, within a series or across series."""
    first = stack.frames[0]
    space = first.space_uid or first.series.uid
    timing = tuple(None if v is None else round(v, 1) for v in (first.repetition_ms, first.flip_degrees))
    return (first.series.patient, space, first.image_type, stack.part, timing)


def _same_grid(stacks: Sequence[Stack]) -> list[list[Stack]]:
    groups: list[list[Stack]] = []
    for stack in stacks:
        home = next((g for g in groups if _alike(g[0].geometry, stack.geometry)), None)
        if home is None:
            groups.append([stack])
        else:
            home.append(stack)
    return groups


def _alike(a: Geometry | None, b: Geometry | None) -> bool:
    return (
        a is not None
        and b is not None
        and a.shape_zyx == b.shape_zyx
        and np.allclose(a.spacing_mm, b.spacing_mm, rtol=0, atol=1e-3)
        and np.allclose(a.origin_mm_xyz, b.origin_mm_xyz, rtol=0, atol=POSITION_TOLERANCE_MM)
        and np.allclose(a.direction_xyz, b.direction_xyz, rtol=0, atol=1e-3)
    )


def _echo_sets(stacks: Sequence[Stack]) -> list[ImageSet]:
    """Makes one set where all echo times differ, else one of each series where they differ inside."""
    times = [stack.echo_time_ms for stack in stacks]
    if None not in times and len(set(times)) == len(times):
        return [_numbered(stacks)]
    by_series = _by(stacks, lambda stack: stack.series.uid)
    if len(by_series) > 1:
        return [found for part in by_series for found in _echo_sets(part)]
    numbers = [stack.frames[0].echo_number for stack in stacks]
    if None not in numbers and len(set(numbers)) == len(numbers):
        return [_numbered(stacks)]
    return [_numbered([stack]) for stack in stacks]


def _numbered(stacks: Sequence[Stack]) -> ImageSet:
    ordered = sorted(stacks, key=lambda s: (s.echo_time_ms or 0.0, s.frames[0].echo_number or 0))
    numbers = [stack.frames[0].echo_number for stack in ordered]
    known = [number for number in numbers if number is not None]
    if len(set(known)) == len(ordered):
        return ImageSet(tuple(ordered), tuple(known))
    return ImageSet(tuple(ordered), tuple(range(1, len(ordered) + 1)))


def _order(found: ImageSet) -> tuple:
    series = found.series
    number = -1 if series.number is None else series.number
    return (series.patient, series.study_uid, number, series.uid, found.stacks[0].part, found.echoes)


def _by(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Groups items, in the order in which keys first come."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
