"""kneecascade.planning.integrity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from raw_folder import write_case_files, write_json_file, write_raw

from kneecascade.core.case import Case, LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.integrity import check_case, check_dataset

SHAPE = (24, 28, 32)
MM = (1.0, 1.0, 1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_raw(tmp_path / "Dataset001_Knee", cases=2, test=1)


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(p.case, p.what) for p in check_dataset(read_dataset(folder))]


def test_a_sound_data_set_has_no_problem(folder: Path) -> None:
    assert problems(folder) == []


def test_all_problems_of_all_cases_are_found_at_once(folder: Path) -> None:
    (folder / "labelsTr/case0.nii.gz").unlink()
    (folder / "imagesTr/case1_0000.nii.gz").write_bytes(b"no image")
    values = np.zeros(SHAPE, np.int16)
    values[0, 0, :2] = (7, 9)
    write_labels(LabelVolume(values, Geometry(SHAPE, MM)), folder / "labelsTs/unseen0.nii.gz")
    found = problems(folder)
    assert ("case0", "no such file") in found
    assert any(case == "case1" and "cannot be read" in what for case, what in found)
    assert ("unseen0", "label values 7, 9 are not in dataset.json") in found
    assert len(found) == 3


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (Geometry((24, 28, 30), MM), "shape"),
        (Geometry(SHAPE, (1.0, 1.0, 1.1)), "spacing"),
        (Geometry(SHAPE, MM, origin_mm_xyz=(0.0, 5.0, 0.0)), "origin"),
        (Geometry(SHAPE, MM, direction_xyz=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)), "direction"),
    ],
)
def test_grids_that_differ(folder: Path, geometry: Geometry, message: str) -> None:
    ones = np.ones(geometry.shape_zyx, np.uint8)
    write_labels(LabelVolume(ones, geometry), folder / "labelsTr/case0.nii.gz")
    ((case, what),) = problems(folder)
    assert case == "case0"
    assert what.startswith(message)
    assert what.endswith("differs from case0_0000.nii.gz")


@pytest.mark.parametrize("ending", [".nii.gz", ".mha"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(tmp_path: Path, value: float, ending: str) -> None:
    array = np.ones(SHAPE, np.float32)
    array[2, 3, 4] = value
    write_channel(array, Geometry(SHAPE, MM), tmp_path / f"a{ending}")
    ((problem),) = check_case(Case("a", (tmp_path / f"a{ending}",)), Labels(("background",), (0,)), 1)
    assert (problem.case, problem.file) == ("a", f"a{ending}")
    assert problem.what.startswith("holds values that are not finite")


def test_a_constant_image(folder: Path) -> None:
    array = np.full(SHAPE, 3.0, np.float32)
    write_channel(array, Geometry(SHAPE, MM), folder / "imagesTr/case0_0000.nii.gz")
    assert problems(folder) == [("case0", "every voxel is 3")]


def test_empty_labels_and_single_slices(folder: Path) -> None:
    write_labels(
        LabelVolume(np.zeros(SHAPE, np.uint8), Geometry(SHAPE, MM)), folder / "labelsTr/case0.nii.gz"
    )
    write_case_files(folder, "case1", shape=(1, 28, 32))
    found = problems(folder)
    assert ("case0", "holds no label, only background") in found
    assert found.count(("case1", "a single slice, expected a 3D image")) == 2


def test_truncated_files(folder: Path) -> None:
    packed = folder / "imagesTr/case0_0000.nii.gz"
    content = packed.read_bytes()
    packed.write_bytes(content[: len(content) // 2])
    assert problems(folder) == [("case0", "is truncated; copy it again")]


def test_channels_count_and_names(folder: Path) -> None:
    write_case_files(folder, "case0", channels=2)
    write_case_files(folder, "CASE1")
    write_case_files(folder, "case0", "Ts")
    write_json_file(folder, numTraining=5)
    found = problems(folder)
    assert ("case0", "dataset.json names only 1 channels") in found
    assert ("case1", "differs from CASE1 only by capital letters") in found
    assert ("case0", "is in imagesTr and in imagesTs") in found
    assert ("Dataset001_Knee", "numTraining is 5, found 3 cases") in found
    assert len(found) == 4
