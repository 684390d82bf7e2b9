"""Every public layout, written small, comes out voxel by voxel: dataset_conversion.sources and below."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from converted import check_case, described, subjects
from dicom_files import Stack, series_tags, write_series
from public_layouts import (
    BONE_VALUES,
    CM_VALUES,
    SHAPE,
    block_knee,
    grey_image,
    labels_of,
    write_mhd,
    write_nifti,
    write_oai_zib,
    write_oaizib_cm,
    write_ski10,
)

from kneecascade.dataset_conversion import oai_zib, oaizib_cm, ski10
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.dicom_folder import read_dicom_folder
from kneecascade.dataset_conversion.reading import read_hdf5
from kneecascade.dataset_conversion.sources import SourceOptions, convert
from kneecascade.dataset_conversion.tables import read_rows
from kneecascade.dataset_conversion.writer import ConvertSettings
from kneecascade.errors import DatasetError, MissingExtraError
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical


def test_oaizib_cm(tmp_path: Path) -> None:
    folder = convert("oaizib_cm", write_oaizib_cm(tmp_path / "s"), tmp_path / "raw", 3)
    assert folder.name == "Dataset003_OAIZIBCM"
    for part, number, side in (("Tr", 1, "right"), ("Tr", 2, "left"), ("Ts", 3, "right")):
        knee = block_knee(side)
        name = f"oaizib_{number:03d}"
        check_case(folder, part, name, grey_image(knee, number), labels_of(knee, CM_VALUES))
        row = {"case": name, "subject": f"{9000000 + number}", "side": side, "grade": f"{number}"}
        assert subjects(folder)[name] == row
    assert described(folder)["labels"] == {"background": 0, **CM_VALUES}
    assert described(folder)["licence"] == "CC BY-NC 4.0"
    assert described(folder)["numTraining"] == 2


def test_oaizib_cm_sides_must_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_oaizib_cm(tmp_path / "s")
    file = source / "info/kneeSideInfo.csv"
    file.write_text(file.read_text().replace("001.nii.gz,right", "001.nii.gz,left"))
    found = oaizib_cm.find_oaizib_cm(source)
    assert [case.side for case in found.cases] == ["unknown", "left", "right"]
    # without tables the anatomy has the last word
    (source / "info/subInfo_train.xlsx").unlink()
    folder = convert("oaizib_cm", source, tmp_path / "raw", 1)
    rows = subjects(folder)
    assert rows["oaizib_001"]["side"] == "unknown"
    assert rows["oaizib_001"]["subject"] == "oaizib_001"
    assert rows["oaizib_002"]["side"] == "left"
    assert "told to be a left knee, but medial lies as in a right one" in capsys.readouterr().err
    file.write_text("name,side\n")
    with pytest.raises(DatasetError, match=r"'name,side' is not like oaizib_001\.nii\.gz,right"):
        oaizib_cm.find_oaizib_cm(source)


def test_oai_zib(tmp_path: Path) -> None:
    numbers = [9001104, 9002430, 9003126]
    source, images = tmp_path / "zib", tmp_path / "oai"
    write_oai_zib(source, images, numbers)
    # the same name with other labels, to be passed over
    other = source / "classification/segmentation_masks/9001104.segmentation_masks.mhd"
    other.parent.mkdir(parents=True)
    other.write_text("no mask")
    folder = convert("oai_zib", source, tmp_path / "raw", 1, options=SourceOptions(images))
    for k, number in enumerate(numbers):
        knee = block_knee("right")
        check_case(folder, "Tr", f"oaizib_{number}", grey_image(knee, k), labels_of(knee, BONE_VALUES))
    geometry = read_labels(folder / "labelsTr/oaizib_9001104.nii.gz").geometry
    assert geometry.spacing_mm == pytest.approx((0.4, 0.4, 0.7))
    assert json.loads((folder / "splits.json").read_text()) == [
        {"train": ["oaizib_9002430", "oaizib_9003126"], "val": ["oaizib_9001104"]},
        {"train": ["oaizib_9001104"], "val": ["oaizib_9002430", "oaizib_9003126"]},
    ]
    assert subjects(folder)["oaizib_9001104"]["visit"] == "00m"


def test_oai_zib_with_anothers_image_is_refused(tmp_path: Path) -> None:
    source, images = tmp_path / "zib", tmp_path / "oai"
    write_oai_zib(source, images, [9001104, 9002430])
    noise = np.random.default_rng(0).normal(100, 6, SHAPE).astype(np.int16)
    write_nifti(images / "9001104_DESS.nii.gz", noise)
    (images / "9002430_DESS.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"no case could be converted: .* clearly darker"):
        convert("oai_zib", source, tmp_path / "raw", 1, options=SourceOptions(images))
    with pytest.raises(DatasetError, match="no masks like"):
        oai_zib.find_oai_zib(images)


def test_ski10(tmp_path: Path) -> None:
    folder = convert("ski10", write_ski10(tmp_path / "s"), tmp_path / "raw", 1)
    knee = block_knee("left")
    for part, number in (("Tr", 1), ("Tr", 2), ("Ts", 61)):
        check_case(
            folder, part, f"ski10_{number:03d}", grey_image(knee, number), labels_of(knee, BONE_VALUES)
        )
    assert (folder / "imagesTs/ski10_101_0000.nii.gz").is_file()
    assert not (folder / "labelsTs/ski10_101.nii.gz").exists()
    geometry = canonical_geometry(read_labels(folder / "labelsTr/ski10_001.nii.gz").geometry)
    assert geometry.spacing_mm == pytest.approx((0.39, 0.39, 1.0))
    assert {row["side"] for row in subjects(folder).values()} == {"unknown"}


def test_ski10_upside_down_is_turned(tmp_path: Path) -> None:
    source = write_ski10(tmp_path / "s", [1])
    for word in ("image", "labels"):
        raw = source / f"{word}-001.raw"
        voxels = np.frombuffer(raw.read_bytes(), np.uint8 if word == "labels" else np.int16)
        raw.write_bytes(np.ascontiguousarray(voxels.reshape(16, 24, 20)[:, ::-1]).tobytes())
    exam = ski10.read_ski10(source / "image-001.mhd", source / "labels-001.mhd")
    assert exam.notes == ("rows run from foot to head",)
    turned = to_canonical(exam.labels, *canonical_axes(exam.geometry))
    np.testing.assert_array_equal(turned, labels_of(block_knee("left"), BONE_VALUES))


def test_ski10_back_to_front_is_turned(tmp_path: Path) -> None:
    labels = np.zeros((8, 24, 24), np.uint8)  # slices, rows from head to foot, columns from back to front
    labels[:, 2:6, 10:18], labels[:, 6:9, 2:17], labels[:, 12:20, 4:18] = 1, 1, 3
    labels[:, 9:11, 2:17], labels[:, 11, 4:18] = 2, 4
    write_mhd(tmp_path / "labels-001.mhd", labels, (0.9, 0.9, 1.0))
    write_mhd(tmp_path / "image-001.mhd", labels.astype(np.int16), (0.9, 0.9, 1.0))
    exam = ski10.read_ski10(tmp_path / "image-001.mhd", tmp_path / "labels-001.mhd")
    assert exam.notes == ("columns run from back to front",)
    turned = to_canonical(exam.labels, *canonical_axes(exam.geometry))
    np.testing.assert_array_equal(turned, labels.transpose(1, 2, 0)[::-1, ::-1, ::-1])


@pytest.mark.parametrize("key", sorted(set(CATALOGUE) - {"folders"}))
def test_an_empty_folder_is_no_source(key: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError) as caught:
        convert(key, tmp_path / "empty", tmp_path / "raw", 1)
    assert "\n" not in str(caught.value)
    with pytest.raises(DatasetError, match="no such folder; check --source"):
        convert(key, tmp_path / "none", tmp_path / "raw", 1)


def test_what_is_no_hdf5_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.im").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="cannot be read as HDF5"):
        read_hdf5(tmp_path / "a.im", "data")


def test_oai_zib_with_dicom_folders(tmp_path: Path) -> None:
    source, images = tmp_path / "zib", tmp_path / "oai"
    write_oai_zib(source, images, [9001104, 9002430])
    knee = block_knee("right")
    # sagittal slices from left to right, rows from head to foot, as a scanner's
    array = grey_image(knee, 0).transpose(2, 0, 1)[::-1, ::-1].astype(np.uint16)
    stack = Stack(array, spacing_mm=(0.7, 0.4, 0.4), angles=(0.0, 0.0))
    folder = images / "0.C.2/9001104/20050101/0"
    write_series(folder, stack, series_tags(description="SAG_3D_DESS_RIGHT"))
    for path in images.glob("*.nii.gz"):
        path.unlink()
    settings = ConvertSettings(skip_broken=True)
    raw = convert("oai_zib", source, tmp_path / "raw", 1, settings, SourceOptions(images))
    labels = read_labels(raw / "labelsTr/oaizib_9001104.nii.gz")
    image = read_volume([raw / "imagesTr/oaizib_9001104_0000.nii.gz"])
    np.testing.assert_array_equal(image.array[0], array)
    np.testing.assert_array_equal(labels.array, labels_of(knee, BONE_VALUES).transpose(2, 0, 1)[::-1, ::-1])
    assert list(subjects(raw)) == ["oaizib_9001104"]
    assert subjects(raw)["oaizib_9001104"]["side"] == "right"
    with pytest.raises(DatasetError, match="0 usable DICOM series, expected one"):
        read_dicom_folder(tmp_path / "zib")


@pytest.mark.parametrize(
    ("package", "read"), [("h5py", lambda path: read_hdf5(path, "data")), ("openpyxl", read_rows)]
)
def test_a_missing_package_names_its_extra(
    package: str, read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=rf"{package}: pip install kneecascade\[datasets\]"):
        read(tmp_path / "a.xlsx")
