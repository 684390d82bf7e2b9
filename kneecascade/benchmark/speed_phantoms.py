"""Raw data sets of made-up knees of 160x384x384 voxels, stored sagittally as DESS series are."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Float3, Geometry, Int3
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels, read_volume, write_channel, write_labels
from kneecascade.phantom.anatomy import NAMES
from kneecascade.phantom.sample import procedural_sample
from kneecascade.planning.processes import map_in_processes

SHAPE_ZYX: Int3 = (384, 384, 160)
SPACING_MM: Float3 = (0.365, 0.365, 0.7)
TARGETS = ("femoral_cartilage", "tibial_cartilage", "patellar_cartilage", "menisci")
SAGITTAL = (2, 0, 1)
"""File axis k is axis SAGITTAL[k] of a phantom: slices run across the knee."""


def make_dataset(folder: Path, cases: int, workers: int) -> None:
    """Writes a raw data set of `cases` training cases; those that are there already are kept."""
    missing = [k for k in range(cases) if not _image(folder, _name(k)).is_file()]
    map_in_processes(partial(_make, folder=folder), missing, workers, "phantoms")
    content = {
        "channel_names": {"0": "DESS"},
        "labels": {name: value for value, name in enumerate(NAMES)},
        "numTraining": cases,
        "file_ending": ".nii.gz",
        "kneecascade": {"targets": list(TARGETS)},
    }
    write_json(folder / "dataset.json", content)


def part_of_dataset(source: Path, target: Path, cases: int) -> None:
    """Makes a raw data set of the first training cases of another; files are linked, or copied."""
    for k in range(cases):
        for file in (_image, _label):
            link(file(source, _name(k)), file(target, _name(k)))
    write_json(target / "dataset.json", {**read_json(source / "dataset.json"), "numTraining": cases})


def first_case(folder: Path) -> tuple[Volume, LabelVolume]:
    """Reads image and labels of the first training case."""
    return read_volume([_image(folder, _name(0))]), read_labels(_label(folder, _name(0)))


def link(source: Path, target: Path) -> None:
    """Gives a file a second name, or copies it where the system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def sagittal(volume: Volume, labels: LabelVolume) -> tuple[Volume, LabelVolume]:
    """Reorders the axes of a phantom (Z, Y, X) to (X, Z, Y), Z from the head down; nothing moves in space."""
    old = volume.geometry
    columns = np.array(old.direction_xyz).reshape(3, 3)[:, ::-1]  # of array axes z, y, x
    head = np.array(old.origin_mm_xyz) + columns[:, 0] * (old.shape_zyx[0] - 1) * old.spacing_mm[0]
    columns = columns * np.array([-1, 1, 1])
    direction = columns[:, SAGITTAL][:, ::-1]
    geometry = Geometry(
        shape_zyx=_turned(old.shape_zyx),
        spacing_mm=_turned(old.spacing_mm),
        origin_mm_xyz=(float(head[0]), float(head[1]), float(head[2])),
        direction_xyz=tuple(float(v) for v in direction.ravel()),
    )
    image = np.stack([channel[::-1].transpose(SAGITTAL) for channel in volume.array])
    turned = np.ascontiguousarray(labels.array[::-1].transpose(SAGITTAL))
    return Volume(image, geometry), LabelVolume(turned, geometry)


def resized(image: Volume, labels: LabelVolume, edge: int) -> tuple[Volume, LabelVolume]:
    """Cuts or extends the slices about their middle to edge x edge voxels; the knee stays as it is."""
    array = np.stack([_resized(channel, edge, "edge") for channel in image.array])
    label = _resized(labels.array, edge, "constant")
    geometry = replace(image.geometry, shape_zyx=label.shape)
    return Volume(array, geometry), LabelVolume(label, geometry)


def finer(image: Volume, labels: LabelVolume, shape_zyx: Int3) -> tuple[Volume, LabelVolume]:
    """Repeats voxels to a larger shape and makes them smaller as much: the same knee, scanned finer."""
    old = image.geometry
    sizes = list(zip(shape_zyx, old.shape_zyx, strict=True))
    where = np.ix_(*(np.arange(new) * n // new for new, n in sizes))
    z, y, x = (mm * n / new for mm, (new, n) in zip(old.spacing_mm, sizes, strict=True))
    geometry = replace(old, shape_zyx=shape_zyx, spacing_mm=(z, y, x))
    array = np.stack([channel[where] for channel in image.array])
    return Volume(array, geometry), LabelVolume(labels.array[where], geometry)


def _make(number: int, folder: Path) -> None:
    side = ("right", "left")[number % 2]
    sample = procedural_sample((0, number), SHAPE_ZYX, SPACING_MM, side, answers=False)
    image, labels = sagittal(sample.image, sample.labels)
    write_labels(labels, _label(folder, _name(number)))
    grey = np.rint(image.array[0]).astype(np.int16)
    write_channel(grey, image.geometry, _image(folder, _name(number)))


def _name(number: int) -> str:
    return f"phantom_{number:03d}"


def _image(folder: Path, name: str) -> Path:
    return folder / "imagesTr" / f"{name}_0000.nii.gz"


def _label(folder: Path, name: str) -> Path:
    return folder / "labelsTr" / f"{name}.nii.gz"


def _turned(values: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    x, z, y = (values[axis] for axis in SAGITTAL)
    return (x, z, y)


def _resized(array: np.ndarray, edge: int, fill: Literal["edge", "constant"]) -> np.ndarray:
    """Returns (X, edge, edge); new voxels repeat the border's ("edge") or are 0 ("constant")."""
    from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd

    starts = [(n - edge) // 2 if n >= edge else -((edge - n) // 2) for n in array.shape[1:]]
    return np.asarray(crop_and_pad_nd(array, [[a, a + edge] for a in starts], pad_mode=fill))
