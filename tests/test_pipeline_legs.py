"""A raw data set of legs: an ordinary one, with maps of tissues beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kneecascade.imaging.files import grid_difference, read_labels, read_volume
from kneecascade.phantom import tissue as t
from kneecascade.pipeline.legs import TISSUES, make_legs
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_subjects


def test_legs_are_an_ordinary_data_set_with_tissues(tmp_path: Path) -> None:
    folder = tmp_path / "Dataset900_Synthetic"
    make_legs(folder, 1, 1, seed=3, spacing_mm=(4.0, 4.0, 4.0), workers=1)
    dataset = read_dataset(folder)
    assert dataset.licence == "Apache-2.0"
    (case,) = dataset.training
    assert case.label is not None
    labels, image = read_labels(case.label), read_volume(case.images)
    tissues = read_labels(folder / TISSUES / f"{case.name}.nii.gz")
    assert grid_difference(labels.geometry, tissues.geometry) == ""
    assert grid_difference(labels.geometry, image.geometry) == ""
    assert (tissues.array[labels.array == 2] == t.CARTILAGE).all()
    dark, bright = (np.median(image.array[0][tissues.array == k]) for k in (t.AIR, t.MUSCLE))
    assert bright > 3 * dark
    assert read_subjects(folder, [case.name])[case.name].side == "right"
    assert not (folder / TISSUES / "leg_001.nii.gz").exists()  # a test case is painted once, and kept apart
    assert (folder / "imagesTs" / "leg_001_0000.nii.gz").is_file()


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    make_legs(tmp_path, 1, 0, seed=3, spacing_mm=(5.0, 5.0, 5.0), workers=1)
    before = (tmp_path / "imagesTr/leg_000_0000.nii.gz").stat().st_mtime_ns
    make_legs(tmp_path, 1, 0, seed=3, spacing_mm=(5.0, 5.0, 5.0), workers=1)
    assert (tmp_path / "imagesTr/leg_000_0000.nii.gz").stat().st_mtime_ns == before
