"""Any two folders of images and labels, their names told by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kneecascade.core.case import Side
from kneecascade.dataset_conversion.found import Found, SourceCase
from kneecascade.dataset_conversion.patterns import matching_files, paired
from kneecascade.dataset_conversion.reading import read_files
from kneecascade.dataset_conversion.tables import read_table
from kneecascade.errors import DatasetError
from kneecascade.files import read_json

ENDINGS = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd")
SIDES: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}


@dataclass(frozen=True)
class FolderOptions:
    """What the layout `folders` must be told.

    Attributes:
        labels: folder of label files.
        label_names: CSV file with the columns value and name, or a dataset.json.
        image_pattern: of file names below the folder of images, with {case}, {subject}, {visit}, {side} and
            {channel} in it; * stands for anything.
        label_pattern: of file names below the folder of labels.
        name: of the data set.
        licence: of images and labels.
        subjects: CSV or Excel file with the columns case, subject and any of side, site, grade, visit.
    """

    labels: Path | None = None
    label_names: Path | None = None
    image_pattern: str = "{case}.nii.gz"
    label_pattern: str = "{case}.nii.gz"
    name: str = "Folders"
    licence: str = ""
    subjects: Path | None = None


def find_folders(source: Path, options: FolderOptions) -> Found:
    """Finds pairs of images and labels whose names agree.

    Args:
        source: folder of images.
        options: where labels are, and how files are called.

    Raises:
        DatasetError: an option is missing, a pattern is unusable or fits no file, images and labels do not
            pair up, or files have other endings than the first.
    """
    if options.labels is None or options.label_names is None:
        raise DatasetError("folders: give --labels FOLDER and --label-names FILE as well")
    if not re.fullmatch(r"[A-Za-z0-9]+", options.name):
        raise DatasetError(f"--name {options.name}: letters and digits only")
    images = matching_files(source, options.image_pattern)
    pairs = paired(images, matching_files(options.labels, options.label_pattern))
    ending = _one_ending(path for channels, _ in pairs.values() for path in channels)
    channels = len(next(iter(pairs.values()))[0])
    rows = _subject_rows(options.subjects, pairs)
    cases = [
        _case(name, files, label, images[name].told, rows.get(name, {}))
        for name, (files, label) in sorted(pairs.items())
    ]
    return Found(
        "folders",
        options.name,
        tuple(f"channel{k}" for k in range(channels)) if channels > 1 else ("MR",),
        read_label_names(options.label_names),
        cases,
        options.licence or "not stated",
        # a header apart from its data is no file to copy
        file_ending=".nii.gz" if ending == ".mhd" else ending,
    )


def read_label_names(file: Path) -> dict[int, str]:
    """Reads label values and names from a table (columns value, name) or a dataset.json of either kind.

    Returns:
        Values to names, without the background.

    Raises:
        DatasetError: the file is unusable, or a value or name is there twice.
    """
    if file.suffix == ".json":
        entries = read_json(file)
        pairs = entries.get("labels") if isinstance(entries, dict) else None
        if not isinstance(pairs, dict):
            raise DatasetError(f"{file}: has no labels")
        told = [(k, v) if str(k).isdigit() else (v, k) for k, v in pairs.items()]
    else:
        told = [(row["value"], row["name"]) for row in read_table(file, ("value", "name"))]
    names: dict[int, str] = {}
    for value, name in told:
        if not str(value).isdigit() or not str(name) or int(value) in names or name in names.values():
            raise DatasetError(f"{file}: {value} {name} is no value with a name, or is there twice")
        names[int(value)] = str(name)
    names.pop(0, None)
    if not names:
        raise DatasetError(f"{file}: names no label besides the background")
    return names


def _one_ending(paths: Iterable[Path]) -> str:
    endings = {next((e for e in ENDINGS if path.name.endswith(e)), path.suffix): path for path in paths}
    odd = [path for ending, path in endings.items() if ending not in ENDINGS]
    if odd:
        raise DatasetError(f"{odd[0]}: is none of {', '.join(ENDINGS)}")
    if len(endings) > 1:
        raise DatasetError(f"images end in {' and '.join(sorted(endings))}; convert them to one of these")
    return next(iter(endings))


def _subject_rows(file: Path | None, names: Iterable[str]) -> dict[str, dict[str, str]]:
    if file is None:
        return {}
    rows = {row["case"]: row for row in read_table(file, ("case", "subject"))}
    missing = [name for name in sorted(names) if not rows.get(name, {}).get("subject")]
    if missing:
        raise DatasetError(f"{file}: no subject for {missing[0]}")
    return rows


def _case(
    name: str, images: tuple[Path, ...], label: Path, told: dict[str, str], row: dict[str, str]
) -> SourceCase:
    word = (row.get("side") or told.get("side") or "").lower()
    return SourceCase(
        name=name,
        subject=row.get("subject") or told.get("subject") or name,
        files=(*images, label),
        read=partial(read_files, images, label),
        side=SIDES.get(word, "unknown"),
        site=row.get("site", ""),
        grade=row.get("grade", ""),
        visit=row.get("visit") or told.get("visit") or "",
    )
