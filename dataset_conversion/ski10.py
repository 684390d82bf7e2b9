"""SKI10: knees before surgery, whose headers say axial although the slices are sagittal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kneecascade.core.geometry import Geometry
from kneecascade.dataset_conversion.anatomy import centres_of, is_upside_down, shaft_before_condyles_mm
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.reading import grid
from kneecascade.errors import DatasetError
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import read_labels

LABELS = {1: "femur", 2: "femoral_cartilage", 3: "tibia", 4: "tibial_cartilage"}
ENDINGS = (".mhd", ".nii.gz", ".nii")
LAST_TRAINING = 60
"""Numbers above it were published without labels first; 40 of them got theirs later."""
AXES = ("LR", "SI", "AP")
FEMUR, CLEARLY_MM = 1, 3.0


def find_ski10(source: Path) -> Found:
    """Finds the images image-001 and so on, and their labels, anywhere below a folder.

    Knees above number 60 become the test set; those without labels are kept as images to predict. The
    data set does not tell sides, so every side is unknown.

    Args:
        source: holds image-001.mhd with its .raw, labels-001.mhd ..., or NIfTI copies of them.

    Raises:
        DatasetError: there is no image, or a training image has no labels.
    """
    images, labels = _numbered(source, "image"), _numbered(source, "labels")
    if not any(number <= LAST_TRAINING for number in images):
        raise DatasetError(f"{source}: no image-001.mhd or image-001.nii below it")
    bare = [n for n in images if n <= LAST_TRAINING and n not in labels]
    if bare:
        raise DatasetError(f"{images[bare[0]]}: no labels-{bare[0]:03d} for it; training images need labels")
    cases = [_case(number, images[number], labels.get(number)) for number in sorted(images)]
    note = "directions of axes are this converter's: slices left to right, rows head to foot; sides unknown"
    return Found(
        "ski10", "SKI10", ("MR",), LABELS, cases, CATALOGUE["ski10"].licence, tuple(LABELS.values()),
        notes=(note,),
    )  # fmt: skip


def read_ski10(image: Path, label: Path | None) -> Examination:
    """Reads an image and its labels on a grid with sagittal axes; what the headers say of axes is dropped.

    Where the labels show that rows or columns run the other way, their axis is turned, and a note tells.

    Raises:
        ImageError: a file cannot be read.
        DatasetError: image and labels are of different shapes.
    """
    channels, header = read_channels(image)
    if len(channels) != 1:
        raise DatasetError(f"{image}: {len(channels)} channels instead of 1")
    geometry = _sagittal(header, AXES)
    if label is None:
        return Examination(channels, geometry)
    array = read_labels(label).array
    if array.shape != geometry.shape_zyx:
        raise DatasetError(f"{label}: {array.shape} voxels, the image has {geometry.shape_zyx}")
    axes, notes = list(AXES), []
    if is_upside_down(centres_of(array, LABELS, geometry)):
        axes[1] = "IS"
        notes.append("rows run from foot to head")
    geometry = _sagittal(header, axes)
    if shaft_before_condyles_mm(array == FEMUR, geometry) < -CLEARLY_MM:
        axes[2] = "PA"
        notes.append("columns run from back to front")
    return Examination(channels, _sagittal(header, axes), array, notes=tuple(notes))


def _sagittal(header: Geometry, axes: Sequence[str]) -> Geometry:
    return grid(header.shape_zyx, header.spacing_mm, axes)


def _case(number: int, image: Path, label: Path | None) -> SourceCase:
    name = f"ski10_{number:03d}"
    return SourceCase(
        name=name,
        subject=name,
        files=(image, label) if label else (image,),
        read=partial(read_ski10, image, label),
        part="Tr" if number <= LAST_TRAINING else "Ts",
        labelled=label is not None,
    )


def _numbered(source: Path, word: str) -> dict[int, Path]:
    """Returns the files of a kind by number; headers with raw data go before NIfTI copies."""
    found: dict[int, Path] = {}
    for ending in ENDINGS:
        for path in sorted(source.rglob(f"{word}-*{ending}")):
            match = re.fullmatch(rf"{word}-(\d+){re.escape(ending)}", path.name)
            if match:
                found.setdefault(int(match[1]), path)
    return found
