"""Reads a raw data set folder in nnU-Net v2's layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kneecascade.core.case import Case
from kneecascade.core.colors import Rgb
from kneecascade.core.dataset import Dataset
from kneecascade.core.labels import Labels
from kneecascade.errors import DatasetError
from kneecascade.files import read_json
from kneecascade.planning.subjects import SubjectRow, read_subject_rows

MOST_CLASSES = 255  # class indices are bytes


def read_dataset(folder: Path) -> Dataset:
    """Reads dataset.json and lists the cases; opens no image.

    A case names every file it should have, whether it exists or not: what is missing is
    found by `planning.integrity`, together with everything else that is wrong.

    Args:
        folder: "Dataset001_Name" with dataset.json, imagesTr, labelsTr, perhaps imagesTs, labelsTs.

    Raises:
        DatasetError: there is no dataset.json, one of its entries is missing or unusable,
            there is no training case, or subjects.csv is unusable.
        InputError: dataset.json is not JSON.
    """
    match = re.fullmatch(r"Dataset(\d+)_.+", folder.name)
    if match is None:
        raise DatasetError(f"{folder}: the folder must be named like Dataset001_Name")
    file = folder / "dataset.json"
    if not file.is_file():
        raise DatasetError(f"{folder}: no dataset.json in it")
    entries = read_json(file)
    if not isinstance(entries, dict):
        raise DatasetError(f"{file}: expected an object")
    channels, labels = _channel_names(entries, file), _labels(entries, file)
    ending = _file_ending(entries, file)
    rows = read_subject_rows(folder)
    return Dataset(
        identifier=int(match[1]),
        name=folder.name,
        folder=folder,
        channel_names=channels,
        labels=labels,
        file_ending=ending,
        training=_with_sides(_training(entries, folder, ending, len(channels)), rows),
        test=_with_sides(_test(folder, ending, len(channels)), rows),
        targets=_targets(entries, labels, file),
        licence=str(entries.get("licence") or ""),
        colors=_colors(entries, labels, file),
    )


def find_cases(folder: Path, file_ending: str, channels: int, single_ok: bool = False) -> tuple[Case, ...]:
    """Finds the cases of a folder of images: `name_0000.ending`, one file a channel.

    Args:
        folder: where the images lie; sub-folders, hidden and other files are passed over.
        file_ending: with its dot, ".nii.gz".
        channels: files a case should have; all of them are listed, found or not.
        single_ok: with one channel, `name.ending` is a case as well.

    Returns:
        The cases sorted by name, without labels; empty where there is none.

    Raises:
        DatasetError: two files stand for the same case.
    """
    cases: dict[str, Case] = {}
    suffixed = re.compile(rf"(.+)_(\d{{4}}){re.escape(file_ending)}")
    for name in visible_names(folder, file_ending):
        match = suffixed.fullmatch(name)
        if match:
            case = match[1]
            images = tuple(folder / f"{case}_{k:04d}{file_ending}" for k in range(channels))
        elif single_ok and channels == 1:
            case = name.removesuffix(file_ending)
            images = (folder / name,)
        else:
            continue
        if cases.setdefault(case, Case(case, images)).images != images:
            raise DatasetError(f"{folder}: {case}{file_ending} is there with and without _0000; remove one")
    return tuple(cases[name] for name in sorted(cases))


def visible_names(folder: Path, file_ending: str) -> list[str]:
    """Returns the sorted names of the files with this ending; none if there is no folder."""
    if not folder.is_dir():
        return []
    # macOS leaves "._name.nii.gz" beside files, which are no images
    return sorted(p.name for p in folder.iterdir() if p.name.endswith(file_ending) and p.name[0] != ".")


def _channel_names(entries: dict[str, Any], file: Path) -> tuple[str, ...]:
    names = entries.get("channel_names", entries.get("modality"))
    if not isinstance(names, dict) or not names:
        raise DatasetError(f'{file}: channel_names must be like {{"0": "MRI"}}')
    if sorted(names, key=str) != sorted(str(k) for k in range(len(names))):
        raise DatasetError(f"{file}: channel_names must be numbered from 0")
    return tuple(str(names[str(k)]) for k in range(len(names)))


def _labels(entries: dict[str, Any], file: Path) -> Labels:
    pairs = entries.get("labels")
    if not isinstance(pairs, dict) or not pairs:
        raise DatasetError(f'{file}: labels must be like {{"background": 0, "femur": 1}}')
    for name, value in pairs.items():
        if isinstance(value, list):
            raise DatasetError(f"{file}: label {name} is a region of several labels; name single labels")
        if name.lower() == "ignore":
            raise DatasetError(f"{file}: an ignore label is not supported; label every voxel")
        if name.isdigit() and isinstance(value, str):
            raise DatasetError(f'{file}: labels are number: name; nnU-Net v2 wants {{"femur": 1}}')
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 32767:
            raise DatasetError(f"{file}: the value of label {name} must be a number from 0 to 32767")
    ordered = sorted(pairs.items(), key=lambda pair: pair[1])
    names, values = zip(*ordered, strict=True)
    if len(set(values)) < len(values):
        raise DatasetError(f"{file}: two labels have the same value")
    if ordered[0] != ("background", 0):
        raise DatasetError(f"{file}: labels must hold background with value 0")
    if len(names) < 2:
        raise DatasetError(f"{file}: labels must hold a label besides background")
    if len(names) > MOST_CLASSES:
        raise DatasetError(f"{file}: {len(names)} labels; at most {MOST_CLASSES} with background")
    return Labels(names, values)


def _file_ending(entries: dict[str, Any], file: Path) -> str:
    ending = entries.get("file_ending")
    if not isinstance(ending, str) or not ending.startswith("."):
        raise DatasetError(f'{file}: file_ending must be like ".nii.gz"')
    return ending


def _targets(entries: dict[str, Any], labels: Labels, file: Path) -> tuple[str, ...] | None:
    own = entries.get("kneecascade", {})
    targets = own.get("targets") if isinstance(own, dict) else []
    if targets is None:
        return None
    if not isinstance(targets, list) or not targets:
        raise DatasetError(f"{file}: kneecascade.targets must be a list of label names")
    unknown = [str(name) for name in targets if name not in labels.foreground]
    if unknown:
        raise DatasetError(f"{file}: kneecascade.targets names {', '.join(unknown)}, which is no label")
    return tuple(name for name in labels.foreground if name in targets)


def _colors(entries: dict[str, Any], labels: Labels, file: Path) -> dict[str, Rgb]:
    own = entries.get("kneecascade", {})
    colors = own.get("colors", {}) if isinstance(own, dict) else {}
    if not isinstance(colors, dict):
        raise DatasetError(f'{file}: kneecascade.colors must be like {{"femur": [77, 166, 255]}}')
    for name, color in colors.items():
        if name not in labels.foreground:
            raise DatasetError(f"{file}: kneecascade.colors names {name}, which is no label")
        parts = color if isinstance(color, list) and len(color) == 3 else [None]
        if not all(type(part) is int and 0 <= part <= 255 for part in parts):
            raise DatasetError(f"{file}: kneecascade.colors: {name} needs three whole numbers from 0 to 255")
    return {name: (color[0], color[1], color[2]) for name, color in colors.items()}


def _training(entries: dict[str, Any], folder: Path, ending: str, channels: int) -> tuple[Case, ...]:
    if "dataset" in entries:
        return _listed(entries["dataset"], folder)
    images, labels = folder / "imagesTr", folder / "labelsTr"
    found = {case.name for case in find_cases(images, ending, channels)}
    found |= {name.removesuffix(ending) for name in visible_names(labels, ending)}
    if not found:
        bare = visible_names(images, ending)
        hint = f"; {bare[0]} needs a channel suffix, _0000" if bare else ""
        raise DatasetError(f"{images}: no case like name_0000{ending}{hint}")
    return tuple(_case(name, images, labels, ending, channels) for name in sorted(found))


def _test(folder: Path, ending: str, channels: int) -> tuple[Case, ...]:
    labels = folder / "labelsTs"
    cases: Iterable[Case] = find_cases(folder / "imagesTs", ending, channels)
    references = {case.name: labels / f"{case.name}{ending}" for case in cases}
    return tuple(
        Case(case.name, case.images, references[case.name] if references[case.name].is_file() else None)
        for case in cases
    )


def _with_sides(cases: Iterable[Case], rows: Mapping[str, SubjectRow]) -> tuple[Case, ...]:
    return tuple(replace(case, side=rows[case.name].side) if case.name in rows else case for case in cases)


def _case(name: str, images: Path, labels: Path, ending: str, channels: int) -> Case:
    files = tuple(images / f"{name}_{k:04d}{ending}" for k in range(channels))
    return Case(name, files, labels / f"{name}{ending}")


def _listed(listing: Any, folder: Path) -> tuple[Case, ...]:
    """Reads nnU-Net's explicit listing: {"case": {"images": [...], "label": "..."}}."""
    if not isinstance(listing, dict) or not listing:
        raise DatasetError(f"{folder / 'dataset.json'}: dataset must list the training cases")
    cases = []
    for name, files in sorted(listing.items()):
        if not isinstance(files, dict) or not isinstance(files.get("images"), list) or "label" not in files:
            raise DatasetError(f"{folder / 'dataset.json'}: dataset.{name} needs images (a list) and label")
        images = tuple(folder / str(image) for image in files["images"])
        cases.append(Case(name, images, folder / str(files["label"])))
    return tuple(cases)
