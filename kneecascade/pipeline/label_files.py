"""Folders of label files: which cases they hold, what their values are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kneecascade.core.labels import Labels
from kneecascade.errors import DatasetError, InputError
from kneecascade.files import read_json
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline.images import image_ending, strip_ending


def label_files(folder: Path) -> dict[str, Path]:
    """Returns the files of a folder that may hold labels, by case name.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != "." and image_ending(p))
    return {strip_ending(path): path for path in files}


def find_labels(
    reference: Path, predicted: Path, files: Iterable[Path], labels_file: Path | None = None
) -> tuple[Labels, str]:
    """Returns label names and values, and where they come from.

    Args:
        reference: folder of references; dataset.json is looked for beside it.
        predicted: folder of predictions; predictions.json is looked for in it.
        files: label files whose values stand for names where neither is there.
        labels_file: a dataset.json to use instead.

    Raises:
        InputError: the file given is missing or holds no labels.
    """
    if labels_file:
        return _read_names(labels_file), str(labels_file)
    for file in (reference.parent / "dataset.json", predicted / "predictions.json"):
        if file.is_file():
            return _read_names(file), str(file)
    values = sorted({int(v) for path in files for v in np.unique(read_labels(path).array)} - {0})
    return Labels(("background", *map(str, values)), (0, *values)), "values in the references"


def named_values(file: Path) -> dict[str, int]:
    """Returns value by label name, background included, of a dataset.json or predictions.json.

    Raises:
        InputError: the file is missing or holds no labels.
    """
    data = read_json(file)
    pairs = data.get("labels") if isinstance(data, dict) else None
    if not isinstance(pairs, dict) or not all(isinstance(value, int) for value in pairs.values()):
        raise DatasetError(f'{file}: labels must be like {{"background": 0, "femur": 1}}')
    return pairs


def _read_names(file: Path) -> Labels:
    pairs = named_values(file)
    foreground = sorted((value, name) for name, value in pairs.items() if value != 0)
    return Labels(("background", *(name for _, name in foreground)), (0, *(value for value, _ in foreground)))
