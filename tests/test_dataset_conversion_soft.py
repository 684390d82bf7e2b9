"""Sources that label cartilage and menisci but no bone, voxel by voxel: iwoai2019 and skm_tea."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from converted import check_case, described, subjects
from public_layouts import (
    SHAPE,
    SKM_VALUES,
    SOFT,
    block_knee,
    grey_image,
    labels_of,
    write_hdf5,
    write_iwoai2019,
    write_nifti,
    write_skm_tea,
)

from kneecascade.dataset_conversion import iwoai2019, skm_tea
from kneecascade.dataset_conversion.sources import convert
from kneecascade.dataset_conversion.writer import ConvertSettings
from kneecascade.errors import DatasetError
from kneecascade.imaging.files import read_labels
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical

IWOAI_VALUES = {name: k + 1 for k, name in enumerate(SOFT)}


def test_iwoai2019(tmp_path: Path) -> None:
    folder = convert("iwoai2019", write_iwoai2019(tmp_path / "s"), tmp_path / "raw", 1)
    for part, name, side, seed in (
        ("Tr", "train_001_V00", "right", 10),
        ("Tr", "train_002_V01", "left", 21),
        ("Tr", "valid_001_V01", "right", 11),
        ("Ts", "test_001_V00", "right", 10),
    ):
        knee = block_knee(side)
        check_case(folder, part, name, grey_image(knee, seed), labels_of(knee, IWOAI_VALUES))
        visit = name[-3:]
        assert subjects(folder)[name] == {"case": name, "subject": name[:-4], "side": side, "visit": visit}
    geometry = canonical_geometry(read_labels(folder / "labelsTr/train_001_V00.nii.gz").geometry)
    assert geometry.spacing_mm == pytest.approx((0.3646, 0.3646, 0.7), abs=1e-4)
    (fold,) = json.loads((folder / "splits.json").read_text())
    people = {part: {name[:-4] for name in fold[part]} for part in ("train", "val")}
    assert people == {"train": {"train_001", "train_002"}, "val": {"valid_001"}}


def test_iwoai2019_menisci_merged(tmp_path: Path) -> None:
    source = write_iwoai2019(tmp_path / "s", {"train": 1, "valid": 1})
    folder = convert("iwoai2019", source, tmp_path / "raw", 1, ConvertSettings(merge_menisci=True))
    labels = labels_of(block_knee("right"), IWOAI_VALUES)
    merged = read_labels(folder / "labelsTr/train_001_V00.nii.gz")
    np.testing.assert_array_equal(
        to_canonical(merged.array, *canonical_axes(merged.geometry)), np.where(labels == 6, 5, labels)
    )
    assert described(folder)["labels"]["menisci"] == 5


def test_iwoai2019_menisci_go_by_place(tmp_path: Path) -> None:
    knee = {name: mask[::-1, :, ::-1] for name, mask in block_knee("left").items()}
    image, label = tmp_path / "train_001_V00.im", tmp_path / "train_001_V00.seg"
    write_hdf5(image, data=np.zeros(SHAPE, np.float64))
    for order, empty in ((SOFT, ()), (SOFT, (4,)), ((*SOFT[:4], SOFT[5], SOFT[4]), (5,))):
        masks = np.stack([knee[name] for name in order], axis=-1).astype(np.uint8)
        masks[..., list(empty)] = 0
        write_hdf5(label, data=masks)
        values = iwoai2019.read_iwoai2019(image, label).labels
        for k, name in enumerate(order):
            if k not in empty:
                np.testing.assert_array_equal(values == IWOAI_VALUES[name], knee[name])


@pytest.mark.parametrize(
    ("key", "array", "message"),
    [("wrong", np.zeros(SHAPE), "has no key 'data'"), ("data", np.zeros(5), "1 dimensions, expected 3")],
)
def test_iwoai2019_other_files_are_refused(tmp_path: Path, key: str, array: np.ndarray, message: str) -> None:
    write_hdf5(tmp_path / "train_001_V00.im", **{key: array})
    with pytest.raises(DatasetError, match=message):
        iwoai2019.read_iwoai2019(tmp_path / "train_001_V00.im", None)
    with pytest.raises(DatasetError, match=r"no train_001_V00\.seg beside it"):
        iwoai2019.find_iwoai2019(tmp_path)


def test_skm_tea(tmp_path: Path) -> None:
    source = write_skm_tea(tmp_path / "s")
    # no mask beside the third scan: those inside its HDF5 file are taken
    (source / "segmentation_masks/dicom-track/MTR_003.nii.gz").unlink()
    folder = convert("skm_tea", source, tmp_path / "raw", 1)
    knee = block_knee("right")
    for part, number in (("Tr", 1), ("Tr", 2), ("Tr", 3), ("Ts", 4)):
        first = grey_image(knee, number).astype(float)
        joined = np.rint(np.sqrt(first**2 + (first // 2) ** 2))
        check_case(folder, part, f"MTR_{number:03d}", joined, labels_of(knee, SKM_VALUES))
    assert json.loads((folder / "splits.json").read_text()) == [
        {"train": ["MTR_001", "MTR_002"], "val": ["MTR_003"]}
    ]
    assert {row["side"] for row in subjects(folder).values()} == {"right"}
    assert subjects(folder)["MTR_004"]["subject"] == "skmtea_0004"


def test_skm_tea_wrongly_told_axes_are_mended_by_the_masks(tmp_path: Path) -> None:
    source = write_skm_tea(tmp_path / "s")
    image, mask = source / "image_files/MTR_001.h5", source / "segmentation_masks/dicom-track/MTR_001.nii.gz"
    exam = skm_tea.read_skm_tea(image, mask, ("SI", "AP", "RL"), (0.3125, 0.3125, 0.8))
    assert exam.notes == ("axes of MTR_001.h5 do not run as annotated; turned to fit the mask",)
    (turned,) = exam.channels
    right = skm_tea.read_skm_tea(image, mask, ("SI", "AP", "LR"), (0.3125, 0.3125, 0.8))
    np.testing.assert_array_equal(turned, right.channels[0])
    other = labels_of(block_knee("left"), SKM_VALUES)
    other[0, 0, 0] = 1
    write_nifti(mask, other)
    with pytest.raises(DatasetError, match=r"is not the mask in MTR_001\.h5"):
        skm_tea.read_skm_tea(image, mask, ("SI", "AP", "LR"), (0.3125, 0.3125, 0.8))


def test_echoes_join() -> None:
    whole = skm_tea.root_sum_of_squares(np.array([3], np.int16), np.array([4], np.int16))
    assert (whole.dtype, whole[0]) == (np.uint16, 5)
    fractions = skm_tea.root_sum_of_squares(np.array([0.3]), np.array([0.4]))
    assert fractions.dtype == np.float32
    np.testing.assert_allclose(fractions, 0.5)
