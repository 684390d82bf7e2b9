"""Finds everything that is wrong with a raw data set before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from kneecascade.core.case import Case, LabelVolume, Volume
from kneecascade.core.dataset import Dataset
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError
from kneecascade.files import read_json
from kneecascade.imaging.files import grid_difference, read_geometry, read_labels, read_volume
from kneecascade.imaging.narrow import narrow
from kneecascade.imaging.stacking import stacked
from kneecascade.planning.dataset_folder import visible_names
from kneecascade.planning.processes import map_in_processes


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        case: name of the case, or of the folder for what concerns all.
        file: name of the file, or "".
        what: what is wrong with it.
    """

    case: str
    file: str
    what: str


@dataclass
class Arrays:
    """What was read of a case while it was checked, for whoever needs it next.

    Attributes:
        channels: one volume of one channel each.
        labels: the reference, or None.
    """

    channels: list[Volume] = field(default_factory=list)
    labels: LabelVolume | None = None

    def volume(self) -> Volume:
        """Returns all channels as one volume."""
        return Volume(stacked([volume.array[0] for volume in self.channels]), self.channels[0].geometry)


def check_folder(dataset: Dataset) -> list[Problem]:
    """Returns what is wrong with names and counts; reads no image."""
    return _names(dataset) + _extra_channels(dataset) + _count(dataset)


def check_dataset(dataset: Dataset, workers: int = 1) -> list[Problem]:
    """Reads every file of every case and returns all problems; an empty list is a sound data set."""
    problems = check_folder(dataset)
    check = partial(check_case, labels=dataset.labels, channels=len(dataset.channel_names))
    cases = [*dataset.training, *dataset.test]
    for found in map_in_processes(check, cases, workers, "Checking files"):
        problems.extend(found)
    return problems


def check_case(case: Case, labels: Labels, channels: int, arrays: Arrays | None = None) -> list[Problem]:
    """Checks the files of one case.

    Args:
        case: with or without a label file.
        labels: the values a label file may hold.
        channels: images the case must have.
        arrays: gets what is read.

    Returns:
        Missing, unreadable, truncated, 2D, not finite and constant images, another number of
        channels, grids that differ, label values outside dataset.json, empty label files.
    """
    problems, arrays = [], arrays or Arrays()
    if len(case.images) != channels:
        problems.append(Problem(case.name, "", f"{len(case.images)} images, expected {channels}"))
    grids: list[tuple[Path, Geometry]] = []
    for path in case.images:
        problems += _check_image(case, path, grids, arrays)
    if case.label is not None:
        problems += _check_label(case, case.label, labels, grids, arrays)
    for path, geometry in grids[1:]:
        difference = grid_difference(grids[0][1], geometry)
        if difference:
            problems.append(Problem(case.name, path.name, f"{difference} differs from {grids[0][0].name}"))
    return problems


def _check_image(case: Case, path: Path, grids: list[tuple[Path, Geometry]], arrays: Arrays) -> list[Problem]:
    try:
        grids.append((path, _sound_geometry(path)))
        volume = read_volume([path])
    except ImageError as error:
        return [_from_error(case, path, error)]
    if (volume.array == volume.array.flat[0]).all():
        return [Problem(case.name, path.name, f"every voxel is {volume.array.flat[0]:g}")]
    arrays.channels.append(volume)
    return []


def _check_label(
    case: Case, path: Path, labels: Labels, grids: list[tuple[Path, Geometry]], arrays: Arrays
) -> list[Problem]:
    try:
        grids.append((path, _sound_geometry(path)))
        arrays.labels = read_labels(path)
    except ImageError as error:
        return [_from_error(case, path, error)]
    values = _values(narrow(arrays.labels.array), labels.values)
    unknown = sorted(values - set(labels.values))
    if unknown:
        shown = ", ".join(str(value) for value in unknown[:8])
        return [Problem(case.name, path.name, f"label values {shown} are not in dataset.json")]
    if values == {0}:
        return [Problem(case.name, path.name, "holds no label, only background")]
    return []


def _values(labels: np.ndarray, expected: Sequence[int]) -> set[int]:
    """Returns the values that are there; looking for those expected beats counting, which beats sorting."""
    counts = {value: np.count_nonzero(labels == value) for value in expected}
    if sum(counts.values()) == labels.size:
        return {value for value, count in counts.items() if count}
    low = int(labels.min())
    return {low + int(k) for k in np.flatnonzero(np.bincount(labels.ravel().astype(np.intp) - low))}


def _sound_geometry(path: Path) -> Geometry:
    geometry = read_geometry(path)
    if min(geometry.shape_zyx) < 2:
        raise ImageError(f"{path}: a single slice, expected a 3D image")
    return geometry


def _from_error(case: Case, path: Path, error: ImageError) -> Problem:
    return Problem(case.name, path.name, str(error).removeprefix(f"{path}: "))


def _names(dataset: Dataset) -> list[Problem]:
    """Names in both sets, and names that one file system keeps apart while another does not."""
    problems = []
    seen: dict[str, str] = {}
    for case in [*dataset.training, *dataset.test]:
        other = seen.setdefault(case.name.lower(), case.name)
        if other != case.name:
            problems.append(Problem(case.name, "", f"differs from {other} only by capital letters"))
    trained = {case.name for case in dataset.training}
    for case in dataset.test:
        if case.name in trained:
            problems.append(Problem(case.name, "", "is in imagesTr and in imagesTs"))
    return problems


def _extra_channels(dataset: Dataset) -> list[Problem]:
    problems = []
    channels = len(dataset.channel_names)
    pattern = re.compile(rf"(.+)_(\d{{4}}){re.escape(dataset.file_ending)}")
    for folder in ("imagesTr", "imagesTs"):
        for name in visible_names(dataset.folder / folder, dataset.file_ending):
            match = pattern.fullmatch(name)
            if match and int(match[2]) >= channels:
                problems.append(Problem(match[1], name, f"dataset.json names only {channels} channels"))
    return problems


def _count(dataset: Dataset) -> list[Problem]:
    told: object = read_json(dataset.folder / "dataset.json").get("numTraining")
    found = len(dataset.training)
    problems: Sequence[Problem] = ()
    if told is not None and told != found:
        problems = (Problem(dataset.name, "dataset.json", f"numTraining is {told}, found {found} cases"),)
    return list(problems)
