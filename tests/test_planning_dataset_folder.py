"""kneecascade.planning.dataset_folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from raw_folder import write_json_file, write_raw

from kneecascade.errors import DatasetError
from kneecascade.planning.dataset_folder import find_cases, read_dataset


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Dataset012_Knee"
    write_json_file(folder)
    touch(folder / "imagesTr", "b_0000.nii.gz", "a_0000.nii.gz", "._a_0000.nii.gz", "notes.txt")
    touch(folder / "labelsTr", "a.nii.gz", "b.nii.gz")
    return folder


def test_cases_are_listed(folder: Path) -> None:
    touch(folder / "imagesTs", "c_0000.nii.gz", "d_0000.nii.gz")
    touch(folder / "labelsTs", "c.nii.gz")
    found = read_dataset(folder)
    assert (found.identifier, found.name) == (12, "Dataset012_Knee")
    assert [case.name for case in found.training] == ["a", "b"]
    assert found.training[0].images == (folder / "imagesTr/a_0000.nii.gz",)
    assert found.training[0].label == folder / "labelsTr/a.nii.gz"
    assert [case.label for case in found.test] == [folder / "labelsTs/c.nii.gz", None]
    assert found.labels.names == ("background", "bone", "cartilage")
    assert found.targets is None


def test_a_lone_label_or_channel_still_is_a_case(folder: Path) -> None:
    write_json_file(folder, channel_names={"0": "echo1", "1": "echo2"})
    touch(folder / "labelsTr", "z.nii.gz")
    found = read_dataset(folder)
    assert [case.name for case in found.training] == ["a", "b", "z"]
    assert [path.name for path in found.training[2].images] == ["z_0000.nii.gz", "z_0001.nii.gz"]


def test_old_and_explicit_entries(folder: Path) -> None:
    listing = {"x": {"images": ["elsewhere/x.nii.gz"], "label": "elsewhere/x_seg.nii.gz"}}
    write_json_file(folder, channel_names=None, modality={"0": "MRI"}, dataset=listing)
    found = read_dataset(folder)
    assert found.channel_names == ("MRI",)
    assert found.training[0].images == (folder / "elsewhere/x.nii.gz",)


def test_labels_are_ordered_by_value(folder: Path) -> None:
    write_json_file(folder, labels={"cartilage": 5, "background": 0, "bone": 2})
    labels = read_dataset(folder).labels
    assert (labels.names, labels.values) == (("background", "bone", "cartilage"), (0, 2, 5))


def test_targets_are_read(folder: Path) -> None:
    write_json_file(folder, kneecascade={"targets": ["cartilage"]})
    assert read_dataset(folder).targets == ("cartilage",)


def test_colours_are_read(folder: Path) -> None:
    assert read_dataset(folder).colors == {}
    write_json_file(folder, kneecascade={"colors": {"cartilage": [0, 10, 255]}})
    assert read_dataset(folder).colors == {"cartilage": (0, 10, 255)}


@pytest.mark.parametrize(
    ("colors", "message"),
    [
        (["red"], "colors must be like"),
        ({"meniscus": [1, 2, 3]}, "names meniscus, which is no label"),
        ({"bone": "red"}, "bone needs three whole numbers"),
        ({"bone": [1, 2]}, "bone needs three whole numbers"),
        ({"bone": [1, 2, 256]}, "bone needs three whole numbers"),
        ({"bone": [1, 2, True]}, "bone needs three whole numbers"),
    ],
)
def test_unusable_colours_are_refused(folder: Path, colors: object, message: str) -> None:
    write_json_file(folder, kneecascade={"colors": colors})
    with pytest.raises(DatasetError, match=message):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_names": None}, "channel_names must be"),
        ({"channel_names": {"1": "MRI"}}, "numbered from 0"),
        ({"labels": {"0": "background", "1": "bone"}}, "labels are number: name"),
        ({"labels": {"background": 0, "all": [1, 2]}}, "label all is a region"),
        ({"labels": {"background": 0, "bone": 1, "ignore": 2}}, "ignore label is not supported"),
        ({"labels": {"background": 0, "bone": 1, "tibia": 1}}, "the same value"),
        ({"labels": {"bone": 1, "tibia": 2}}, "must hold background"),
        ({"labels": {"background": 0}}, "a label besides background"),
        ({"labels": {"background": 0, "bone": 1.5}}, "the value of label bone"),
        ({"labels": {"background": 0} | {f"l{k}": k for k in range(1, 300)}}, "at most 255"),
        ({"file_ending": "nii.gz"}, "file_ending must be"),
        ({"kneecascade": {"targets": ["menisci"]}}, "names menisci, which is no label"),
        ({"kneecascade": {"targets": []}}, "must be a list of label names"),
        ({"file_ending": ".mha"}, "no case like name_0000.mha"),
        ({"dataset": {"x": {"images": "x.nii.gz"}}}, "needs images"),
    ],
)
def test_broken_entries_are_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    write_json_file(folder, **changes)
    with pytest.raises(DatasetError, match=message):
        read_dataset(folder)


def test_missing_suffix_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "Dataset001_Knee"
    write_json_file(folder)
    touch(folder / "imagesTr", "a.nii.gz")
    with pytest.raises(DatasetError, match=r"a\.nii\.gz needs a channel suffix"):
        read_dataset(folder)
    with pytest.raises(DatasetError, match="named like Dataset001_Name"):
        read_dataset(tmp_path)
    (tmp_path / "Dataset002_Empty").mkdir()
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        read_dataset(tmp_path / "Dataset002_Empty")


def test_single_channel_images_need_no_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz", "b_0000.nii.gz", "c.mha")
    assert [c.name for c in find_cases(tmp_path, ".nii.gz", 1, single_ok=True)] == ["a", "b"]
    assert [c.name for c in find_cases(tmp_path, ".nii.gz", 1)] == ["b"]
    assert find_cases(tmp_path / "nowhere", ".nii.gz", 1) == ()
    touch(tmp_path, "a_0000.nii.gz")
    with pytest.raises(DatasetError, match="with and without _0000"):
        find_cases(tmp_path, ".nii.gz", 1, single_ok=True)


def test_the_licence_is_read(tmp_path: Path) -> None:
    folder = write_raw(tmp_path / "Dataset001_A")
    assert read_dataset(folder).licence == ""
    write_json_file(folder, licence="CC BY-NC 4.0")
    assert read_dataset(folder).licence == "CC BY-NC 4.0"
