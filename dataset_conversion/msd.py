"""Medical Segmentation Decathlon task folders."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.reading import read_files
from kneecascade.errors import DatasetError
from kneecascade.files import read_json
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import grid_difference, read_labels

ENDING = ".nii.gz"
ABOUT: tuple[str, ...] = ("name", "description", "reference")


def find_msd(source: Path) -> Found:
    """Finds the cases that a task's dataset.json lists.

    Voxel values, label values and the order of channels stay; 4D images become one file a channel.

    Args:
        source: a folder such as Task04_Hippocampus: dataset.json, imagesTr, labelsTr and, where there is a
            test set, imagesTs.

    Raises:
        DatasetError: dataset.json is broken, or files are missing.
    """
    description = _described(source)
    channels = _numbered(description, "modality", source)
    labels = {v: name for v, name in _numbered(description, "labels", source).items() if v}
    pairs = _existing(source, description)
    cases = [_case(image, label, len(channels)) for image, label in pairs]
    name = re.sub(r"^Task\d+_", "", source.resolve().name) or str(description.get("name", ""))
    return Found(
        "msd",
        re.sub(r"[^A-Za-z0-9]+", "", name) or "Decathlon",
        tuple(channels.values()),
        labels,
        cases,
        str(description.get("licence") or CATALOGUE["msd"].licence),
        about={key: description.get(key) for key in ABOUT},
    )


def read_msd(image: Path, label: Path | None, count: int) -> Examination:
    """Reads a 4D image into its channels; a single channel is taken as it is.

    Raises:
        ImageError: a file cannot be read.
        DatasetError: the image has another number of channels than dataset.json says, or grids differ.
    """
    channels, geometry = read_channels(image)
    if len(channels) != count:
        raise DatasetError(f"{image}: {len(channels)} channels, but dataset.json names {count}")
    if count == 1:
        return read_files((image,), label)
    if label is None:
        return Examination(channels, geometry)
    volume = read_labels(label)
    difference = grid_difference(geometry, volume.geometry)
    if difference:
        raise DatasetError(f"{label}: {difference} differs from {image.name}")
    return Examination(channels, geometry, volume.array, label)


def _case(image: Path, label: Path | None, count: int) -> SourceCase:
    name = image.name.removesuffix(ENDING)
    return SourceCase(
        name=name,
        subject=name,
        files=(image,) if label is None else (image, label),
        read=partial(read_msd, image, label, count),
        part="Ts" if label is None else "Tr",
        labelled=label is not None,
    )


def _described(source: Path) -> dict[str, Any]:
    path = source / "dataset.json"
    if not path.is_file():
        raise DatasetError(
            f"{source}: no dataset.json; give the task's own folder, such as Task04_Hippocampus"
        )
    description = read_json(path)
    if not isinstance(description, dict) or not description.get("training"):
        raise DatasetError(f"{path}: lists no training cases")
    return description


def _numbered(description: dict[str, Any], entry: str, source: Path) -> dict[int, str]:
    """Returns {0: name, 1: name, ...} of "modality" or "labels", in order."""
    try:
        names = {int(key): str(name) for key, name in description[entry].items()}
    except (KeyError, ValueError, AttributeError) as error:
        raise DatasetError(f"{source / 'dataset.json'}: {entry!r} must map numbers to names") from error
    if 0 not in names or len(set(names.values())) != len(names):
        raise DatasetError(f"{source / 'dataset.json'}: {entry!r} needs a 0 and no name twice")
    return dict(sorted(names.items()))


def _existing(source: Path, description: dict[str, Any]) -> list[tuple[Path, Path | None]]:
    """Returns (image, label or None) of every listed case; all missing files are told at once."""
    try:
        pairs: list[tuple[Path, Path | None]] = [
            (source / case["image"], source / case["label"]) for case in description["training"]
        ]
        pairs += [(source / case, None) for case in description.get("test", ())]
    except (TypeError, KeyError) as error:
        raise DatasetError(f"{source / 'dataset.json'}: a case lacks its image or label") from error
    missing = [str(path) for pair in pairs for path in pair if path is not None and not path.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise DatasetError(f"{source}: {len(missing)} listed files are missing: {shown}")
    foreign = [str(path) for pair in pairs for path in pair if path and not path.name.endswith(ENDING)]
    if foreign:
        raise DatasetError(f"{foreign[0]}: expected a {ENDING} file")
    return pairs
