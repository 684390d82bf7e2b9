"""Writes one case: its channels, its labels, and a record of both."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.geometry import Geometry
from kneecascade.dataset_conversion.anatomy import centres_of, is_back_to_front, is_upside_down, side_of
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.labels import map_labels, missing_labels
from kneecascade.errors import DatasetError
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.imaging.truncated import is_truncated

Record = dict[str, Any]


def convert_case(
    case: SourceCase, found: Found, written: Mapping[str, int], folder: Path, link: bool
) -> Record:
    """Reads a case, checks it, writes it.

    Args:
        case: to convert.
        found: the source it is of.
        written: label names to values, as `labels.written_labels` returns them.
        folder: of the data set.
        link: link files that can be taken as they are, instead of copying them.

    Returns:
        The record of the case for conversion.json.

    Raises:
        KneecascadeError: a file cannot be read, or what is in it breaks the layout.
    """
    exam, where = case.read(), str(case.files[-1])
    if len(exam.channels) != len(found.channel_names):
        raise DatasetError(f"{where}: {len(exam.channels)} channels instead of {len(found.channel_names)}")
    side, notes, counts = exam.side or case.side, list(exam.notes), {}
    if exam.labels is not None:
        mapped, counts = map_labels(exam.labels, found.labels, written, where)
        side, told = _checked_side(exam.labels, exam.geometry, found.labels, side, where)
        notes += told + [f"no {name}" for name in missing_labels(counts, found.expected)]
        path = folder / f"labels{case.part}" / f"{case.name}{found.file_ending}"
        _put_labels(exam, mapped, path, found.file_ending, link)
    for k, channel in enumerate(exam.channels):
        path = folder / f"images{case.part}" / f"{case.name}_{k:04d}{found.file_ending}"
        if isinstance(channel, Path) and channel.name.endswith(found.file_ending):
            take_file(channel, path, link)
            continue
        array = read_channels(channel)[0][0] if isinstance(channel, Path) else channel
        _require_shape(array, exam.geometry, where)
        write_channel(array, exam.geometry, path)
    return {"key": key_of(case), "part": case.part, "side": side, "voxels": counts, "notes": notes}


def key_of(case: SourceCase) -> str:
    """Returns a hash of what a case is made from: names, sizes and times of its files."""
    told = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in case.files]
    return hashlib.sha256(repr((case.name, case.part, told)).encode()).hexdigest()[:16]


def take_file(source: Path, target: Path, link: bool) -> None:
    """Copies a file, or links to it, under a temporary name first.

    Raises:
        DatasetError: the file is truncated, or links are not possible here.
    """
    if is_truncated(source):
        raise DatasetError(f"{source}: is truncated; get it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".writing_{target.name}")
    temporary.unlink(missing_ok=True)
    try:
        if link:
            temporary.symlink_to(source.resolve())
        else:
            shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        hint = "; leave --link out" if link else ""
        raise DatasetError(f"{target}: cannot be written ({error.strerror}){hint}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _put_labels(exam: Examination, mapped: np.ndarray, path: Path, ending: str, link: bool) -> None:
    assert exam.labels is not None
    file = exam.label_file
    if file is not None and file.name.endswith(ending) and np.array_equal(mapped, exam.labels):
        take_file(file, path, link)
        return
    _require_shape(mapped, exam.geometry, str(path))
    write_labels(LabelVolume(mapped, exam.geometry), path)


def _require_shape(array: np.ndarray, geometry: Geometry, where: str) -> None:
    if array.shape != geometry.shape_zyx:
        raise DatasetError(f"{where}: holds {array.shape} voxels, but its grid is {geometry.shape_zyx}")


def _checked_side(
    labels: np.ndarray, geometry: Geometry, known: Mapping[int, str], side: Side, where: str
) -> tuple[Side, list[str]]:
    """Returns the side, with a note where labels and what was told contradict each other.

    Raises:
        DatasetError: the femur lies below the tibia, or the patella behind the femur.
    """
    centres = centres_of(labels, known, geometry)
    if is_upside_down(centres):
        raise DatasetError(f"{where}: the femur lies below the tibia; the axes are not what they should be")
    if is_back_to_front(centres):
        raise DatasetError(
            f"{where}: the patella lies behind the femur; the axes are not what they should be"
        )
    seen = side_of(centres)
    if "unknown" in (seen, side):
        return (seen if side == "unknown" else side), []
    if seen == side:
        return side, []
    told = f"is told to be a {side} knee, but medial lies as in a {seen} one: side unknown"
    return "unknown", [told]
