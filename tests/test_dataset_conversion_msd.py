from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from kneecascade.cli.convert_dataset import main
from kneecascade.dataset_conversion.msd import find_msd
from kneecascade.dataset_conversion.sources import convert
from kneecascade.errors import DatasetError
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import read_geometry, read_labels, read_volume

SHAPE = (5, 6, 7)


def write_task(source: Path, channels: int = 2) -> np.ndarray:
    """Writes Task.. with two training cases and one test case; returns the first image, (C, Z, Y, X)."""
    random = np.random.default_rng(0)
    arrays = random.integers(0, 1000, (3, channels, *SHAPE)).astype(np.int16)
    for folder in ("imagesTr", "labelsTr", "imagesTs"):
        (source / folder).mkdir(parents=True)
    for k, name in enumerate(("imagesTr/a", "imagesTr/b", "imagesTs/c")):
        volumes = [_image(channel) for channel in arrays[k]]
        image = sitk.JoinSeries(volumes) if channels > 1 else volumes[0]
        sitk.WriteImage(image, str(source / f"{name}.nii.gz"))
    for name in "ab":
        sitk.WriteImage(
            _image(random.integers(0, 3, SHAPE).astype(np.uint8)), str(source / f"labelsTr/{name}.nii.gz")
        )
    write_description(source, channels)
    return arrays[0]


def _image(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((3.0, -4.0, 5.0))
    image.SetDirection((0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0))
    return image


def write_description(source: Path, channels: int = 2, **changes: object) -> None:
    description = {
        "name": "TWO",
        "licence": "CC",
        "modality": {str(k): f"channel{k}" for k in range(channels)},
        "labels": {"0": "Background", "1": "front", "2": "back"},
        "training": [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in "ab"],
        "test": ["./imagesTs/c.nii.gz"],
        **changes,
    }
    (source / "dataset.json").write_text(json.dumps(description))


def test_four_dimensional_images_are_split(tmp_path: Path) -> None:
    source, raw = tmp_path / "Task99_Two", tmp_path / "raw"
    array = write_task(source)
    folder = convert("msd", source, raw, 7)
    assert folder == raw / "Dataset007_Two"
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    images = [
        f"images{part}/{n}_000{k}.nii.gz"
        for part, n in (("Tr", "a"), ("Tr", "b"), ("Ts", "c"))
        for k in (0, 1)
    ]
    labels = ["labelsTr/a.nii.gz", "labelsTr/b.nii.gz"]
    assert names == ["conversion.json", "dataset.json", *images, *labels, "subjects.csv"]
    volume = read_volume([folder / f"imagesTr/a_000{k}.nii.gz" for k in (0, 1)])
    np.testing.assert_array_equal(volume.array, array)
    assert volume.geometry == read_geometry(folder / "labelsTr/a.nii.gz")
    assert volume.geometry.spacing_mm == (2.0, 0.75, 0.5)
    np.testing.assert_array_equal(
        read_labels(folder / "labelsTr/b.nii.gz").array, read_labels(source / "labelsTr/b.nii.gz").array
    )


def test_dataset_json_is_converted(tmp_path: Path) -> None:
    source = tmp_path / "Task99_Two"
    write_task(source)
    folder = convert("msd", source, tmp_path / "raw", 7)
    assert json.loads((folder / "dataset.json").read_text()) == {
        "name": "TWO",
        "licence": "CC",
        "channel_names": {"0": "channel0", "1": "channel1"},
        "labels": {"background": 0, "front": 1, "back": 2},
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }


def test_one_channel_is_copied_byte_by_byte(tmp_path: Path) -> None:
    source = tmp_path / "Task04_One"
    write_task(source, channels=1)
    folder = convert("msd", source, tmp_path / "raw", 1)
    copied = (folder / "imagesTs/c_0000.nii.gz").read_bytes()
    assert copied == (source / "imagesTs/c.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modality": {"0": "only"}}, "2 channels, but dataset.json names 1"),
        ({"modality": None}, "'modality' must map numbers to names"),
        ({"labels": {"1": "front"}}, "'labels' needs a 0"),
        ({"training": []}, "lists no training cases"),
        ({"training": [{"image": "./imagesTr/a.nii.gz"}]}, "lacks its image or label"),
        ({"test": ["./imagesTs/x.nii.gz", "./imagesTs/y.nii.gz"]}, "2 listed files are missing"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(tmp_path: Path, changes: dict, message: str) -> None:
    source, raw = tmp_path / "Task99_Two", tmp_path / "raw"
    write_task(source)
    write_description(source, **changes)
    with pytest.raises(DatasetError, match=message) as caught:
        convert("msd", source, raw, 7)
    assert "\n" not in str(caught.value)
    assert not raw.exists() or not list(raw.iterdir())


def test_finding_opens_no_image(tmp_path: Path) -> None:
    source = tmp_path / "Task99_Two"
    write_task(source)
    for path in source.rglob("*.nii.gz"):
        path.write_bytes(b"")
    found = find_msd(source)
    assert [(case.name, case.part, case.labelled) for case in found.cases] == [
        ("a", "Tr", True),
        ("b", "Tr", True),
        ("c", "Ts", False),
    ]
    assert found.licence == "CC"
    assert found.labels == {1: "front", 2: "back"}


def test_a_taken_number_is_refused(tmp_path: Path) -> None:
    source, raw = tmp_path / "Task99_Two", tmp_path / "raw"
    write_task(source, channels=1)
    (raw / "Dataset007_Other").mkdir(parents=True)
    with pytest.raises(DatasetError, match="number 7 is taken"):
        convert("msd", source, raw, 7)
    with pytest.raises(DatasetError, match="from 1 to 999"):
        convert("msd", source, raw, 0)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "Task99_Two"
    write_task(source)
    arguments = ["msd", "--source", str(source), "-d", "7", "--workspace", str(tmp_path / "w")]
    assert main(arguments) == 0
    assert (tmp_path / "w/raw/Dataset007_Two/dataset.json").is_file()
    assert main(arguments) == 2
    assert "taken" in capsys.readouterr().err


def test_vector_voxels_are_channels_too(tmp_path: Path) -> None:
    array = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)
    path = tmp_path / "vector.mha"
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(path))
    channels, geometry = read_channels(path)
    np.testing.assert_array_equal(np.stack(channels, axis=-1), array)
    assert geometry.shape_zyx == (2, 3, 4)
