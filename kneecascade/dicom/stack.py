"""Frames that make one volume: put in order along the slice normal, checked, given a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kneecascade.core.geometry import Geometry
from kneecascade.dicom.frame import Frame, Series
from kneecascade.dicom.side import Side, combined

MIN_SLICES = 8
COSINE_TOLERANCE = 1e-3
SAME_PLACE_MM = 1e-2
STEP_TOLERANCE_MM = 0.05
STEP_TOLERANCE = 0.05


@dataclass(frozen=True)
class Refusal:
    """Why frames make no volume.

    Attributes:
        what: in two or three words.
        why: the line that names the slice.
        expected: a localiser or a screenshot, which no examination lacks, rather than a defect.
    """

    what: str
    why: str
    expected: bool = False


@dataclass(frozen=True)
class Stack:
    """One volume of a series.

    Attributes:
        frames: in order along the slice normal (row x column direction) where it is usable.
        geometry: its grid; None where it is refused.
        refusal: None where it is usable.
        part: what tells it from other volumes of the series besides the echo; often empty.
    """

    frames: tuple[Frame, ...]
    geometry: Geometry | None
    refusal: Refusal | None
    part: str = ""

    @property
    def series(self) -> Series:
        """The series of its frames."""
        return self.frames[0].series

    @property
    def echo_time_ms(self) -> float | None:
        """Echo time of its first frame."""
        return self.frames[0].echo_time_ms

    @property
    def side(self) -> Side:
        """The side that the tags of its frames tell; "both" where some say left, some right."""
        sides = {frame.side for frame in self.frames} - {"unknown"}
        return "both" if sides == {"left", "right"} else combined(sides)


def make_stack(frames: Sequence[Frame], part: str = "") -> Stack:
    """Orders and checks the frames of one volume; never raises, a refused one says why."""
    refusal = _not_a_volume(frames) or _mixed(frames)
    if refusal:
        return Stack(tuple(frames), None, refusal, part)
    axes = _axes(frames[0])
    ordered = sorted(frames, key=lambda frame: float(np.dot(axes[2], _position(frame))))
    refusal = _uneven(ordered, axes)
    geometry = None if refusal else _geometry(ordered, axes)
    return Stack(tuple(ordered), geometry, refusal, part)


def at_one_place(frames: Sequence[Frame]) -> bool:
    """Tells whether two of the frames lie in the same orientation at the same place."""
    if any(frame.position_mm_xyz is None or frame.orientation is None for frame in frames):
        return False
    places = sorted((*np.round(_axes(f)[2], 2), float(np.dot(_axes(f)[2], _position(f)))) for f in frames)
    pairs = pairwise(places)
    return any(a[:3] == b[:3] and b[3] - a[3] < SAME_PLACE_MM for a, b in pairs)


def _not_a_volume(frames: Sequence[Frame]) -> Refusal | None:
    """Finds what no examination lacks beside its volumes, and images without a place."""
    for frame in frames:
        if frame.samples != 1:
            return Refusal("colour", f"{frame.label} is a colour image", expected=True)
        if None in (frame.position_mm_xyz, frame.orientation, frame.spacing_mm_yx):
            return Refusal("no position", f"{frame.label} does not tell its place in space", len(frames) == 1)
        if frame.inverted:
            return Refusal("inverted", f"{frame.label} has inverted grey values (MONOCHROME1)")
    kinds = {word.upper() for frame in frames for word in frame.image_type}
    orientations = _orientations(frames)
    first = frames[0].label
    if kinds & {"LOCALIZER", "LOCALISER", "SCOUT"}:
        return Refusal("localiser", f"localiser: {first} says so in its ImageType", expected=True)
    if len(orientations) >= 3:
        others = ", ".join(frame.label for frame in orientations[:3])
        return Refusal(
            "localiser", f"localiser: {len(orientations)} orientations, as in {others}", expected=True
        )
    if len(frames) < MIN_SLICES:
        number = f"{len(frames)} slices, from {first}" if len(frames) > 1 else f"only {first}"
        return Refusal("localiser", f"localiser: {number}; a volume has {MIN_SLICES} or more", expected=True)
    return None


def _mixed(frames: Sequence[Frame]) -> Refusal | None:
    """Finds the first slice that is turned, or of another size, than most."""
    orientations = _orientations(frames)
    if len(orientations) > 1:
        odd = _odd_one(frames, [_group(frame, orientations) for frame in frames])
        return Refusal("mixed orientation", f"mixed orientation: {odd.label} is turned against the others")
    odd = _odd_one(frames, [frame.shape_yx for frame in frames])
    if odd.shape_yx != _usual([frame.shape_yx for frame in frames]):
        return Refusal(
            "mixed size", f"mixed size: {odd.label} has {odd.shape_yx[1]}x{odd.shape_yx[0]} pixels"
        )
    spacings = [tuple(np.round(frame.spacing_mm_yx or (), 3)) for frame in frames]
    odd = _odd_one(frames, spacings)
    if len(set(spacings)) > 1:
        return Refusal("mixed spacing", f"mixed pixel spacing: {odd.label} differs from the others")
    return None


def _uneven(ordered: Sequence[Frame], axes: np.ndarray) -> Refusal | None:
    """Finds duplicates, gaps and uneven steps in ordered frames."""
    places = np.array([_position(frame) for frame in ordered]) @ axes.T
    steps = np.diff(places[:, 2])
    for k in _where(steps < SAME_PLACE_MM):
        a, b = ordered[k], ordered[k + 1]
        same = "the same image twice" if a.uid == b.uid and a.index == b.index else "two images at one place"
        return Refusal("duplicate slices", f"duplicate slices: {a.label} and {b.label} are {same}")
    usual = float(np.median(steps))
    tolerance = max(STEP_TOLERANCE_MM, STEP_TOLERANCE * usual)
    off = _where(np.abs(steps - usual) > tolerance)
    missing = [k for k in off if _whole_steps(float(steps[k]), usual, tolerance) > 1]
    for k in [*missing, *off]:
        between = f"between {ordered[k].label} and {ordered[k + 1].label}"
        size = f"step {steps[k]:.2f} mm, usual {usual:.2f} mm"
        lost = _whole_steps(float(steps[k]), usual, tolerance) - 1
        if lost > 0:
            number = "a slice is" if lost == 1 else f"{lost} slices are"
            return Refusal("missing slice", f"missing slice: {number} missing {between} ({size})")
        return Refusal("uneven steps", f"uneven steps: {between}, {size}")
    aside = np.linalg.norm(places[:, :2] - places[0, :2], axis=1)
    slack = tolerance + COSINE_TOLERANCE * (places[:, 2] - places[0, 2])
    for k in _where(aside > slack):
        why = f"{ordered[k].label} lies {aside[k]:.2f} mm beside {ordered[0].label}"
        return Refusal("shifted slices", f"shifted slices: {why}")
    return None


def _where(condition: np.ndarray) -> list[int]:
    return [int(k) for k in np.flatnonzero(condition)]


def _whole_steps(step: float, usual: float, tolerance: float) -> int:
    """Returns how many usual steps a step is; 0 where it is no multiple."""
    number = round(step / usual)
    return number if abs(step - number * usual) <= number * tolerance else 0


def _geometry(ordered: Sequence[Frame], axes: np.ndarray) -> Geometry:
    """Returns the grid; the step is the mean one, as SimpleITK's series reader takes it."""
    rows, columns = ordered[0].shape_yx
    step = float(axes[2] @ (_position(ordered[-1]) - _position(ordered[0]))) / (len(ordered) - 1)
    dy, dx = ordered[0].spacing_mm_yx or (1.0, 1.0)
    x, y, z = (float(value) for value in _position(ordered[0]))
    return Geometry(
        shape_zyx=(len(ordered), rows, columns),
        spacing_mm=(step, dy, dx),
        origin_mm_xyz=(x, y, z),
        direction_xyz=tuple(float(value) + 0.0 for value in axes.T.ravel()),
    )


def _axes(frame: Frame) -> np.ndarray:
    """Returns unit vectors (row, column, normal) as rows; the column is made orthogonal to the row."""
    row, column = np.array(frame.orientation, dtype=float).reshape(2, 3)
    row = row / max(float(np.linalg.norm(row)), 1e-9)
    column = column - row * (row @ column)
    column = column / max(float(np.linalg.norm(column)), 1e-9)
    return np.stack([row, column, np.cross(row, column)])


def _position(frame: Frame) -> np.ndarray:
    return np.array(frame.position_mm_xyz, dtype=float)


def _orientations(frames: Sequence[Frame]) -> list[Frame]:
    """Returns one frame of each orientation, in the order in which they come."""
    found: list[Frame] = []
    for frame in frames:
        if frame.orientation is not None and _group(frame, found) is None:
            found.append(frame)
    return found


def _group(frame: Frame, examples: Sequence[Frame]) -> int | None:
    own = np.array(frame.orientation)
    for k, example in enumerate(examples):
        if np.abs(own - np.array(example.orientation)).max() <= COSINE_TOLERANCE:
            return k
    return None


def _usual(values: Sequence[object]) -> object:
    return max(values, key=values.count)


def _odd_one(frames: Sequence[Frame], values: Sequence[object]) -> Frame:
    """Returns the first frame whose value is not the usual one; the first frame where all agree."""
    usual = _usual(values)
    return next((f for f, value in zip(frames, values, strict=True) if value != usual), frames[0])
