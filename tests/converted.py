"""What is read back of a converted data set."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.imaging.orientation import canonical_axes, to_canonical


def canonical(path: Path) -> np.ndarray:
    """Returns the voxels of a file, foot to head, front to back, right to left, by its own header."""
    volume = read_volume([path])
    return to_canonical(volume.array[0], *canonical_axes(volume.geometry))


def check_case(folder: Path, part: str, name: str, image: np.ndarray, labels: np.ndarray) -> None:
    """Asserts that image and labels hold these voxels, on one grid."""
    files = folder / f"images{part}/{name}_0000.nii.gz", folder / f"labels{part}/{name}.nii.gz"
    np.testing.assert_array_equal(canonical(files[0]), image)
    np.testing.assert_array_equal(canonical(files[1]), labels)
    assert read_volume([files[0]]).geometry == read_labels(files[1]).geometry


def subjects(folder: Path) -> dict[str, dict[str, str]]:
    """Returns the rows of subjects.csv by case."""
    with (folder / "subjects.csv").open(newline="") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def described(folder: Path) -> dict:
    """Returns dataset.json."""
    return json.loads((folder / "dataset.json").read_text())
