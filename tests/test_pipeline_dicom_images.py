"""DICOM into kc_predict, DICOM segmentations out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dicom_files import Stack, random_stack, series_tags, slices, write, write_series
from tiny_models import SHAPE, knee, save_grey_model, use_grey_networks

from kneecascade.cli.predict import main
from kneecascade.dicom.source import read_again
from kneecascade.errors import InputError, SettingsError
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.pipeline.dicom_images import find_sources
from kneecascade.pipeline.images import find_jobs
from kneecascade.workspace import Workspace

ANGLES = (6.0, 4.0)


@pytest.fixture
def model(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    use_grey_networks(monkeypatch)
    save_grey_model(workspace.results / "Dataset001_Tiny")
    return workspace


def run(workspace: Workspace, *arguments: object) -> int:
    root = str(workspace.results.parent)
    return main([*map(str, arguments), "--workspace", root, "--device", "cpu"])


def grey_knee(seed: int, share: float = 1.0) -> Stack:
    """Returns a knee whose first axis is the slice normal, its grey values times `share`."""
    array = np.maximum(np.rint(knee(seed)[0].array[0] * 10 * share), 0).astype(np.uint16)
    return Stack(array, spacing_mm=(1.0, 1.0, 1.0), angles=ANGLES)


def test_echoes_and_series_become_cases(
    tmp_path: Path, model: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("highdicom")
    import highdicom

    tags = series_tags(7, "DESS right", FrameOfReferenceUID="1.2.3")
    for number, share in ((1, 0.6), (2, 0.8)):  # root-sum-of-squares makes it whole again
        stack = grey_knee(0, share)
        stack.tags = {"EchoNumbers": number, "EchoTime": str(7 * number)}
        write_series(tmp_path / "in/a", stack, tags, first=1000 * number)
    write_series(tmp_path / "in/b", grey_knee(1), series_tags(8, "T2 map"))
    write_series(tmp_path / "in/c", random_stack(shape=(3, 8, 8)), series_tags(1, "scout"))
    out = tmp_path / "out"
    assert run(model, "-i", tmp_path / "in", "-o", out, "--dicom-seg") == 0
    said = capsys.readouterr().out
    assert "series 7 DESS right: 2 echoes, combined as root-sum-of-squares" in said
    assert "series 1 scout: left out: localiser" in said
    names = ["007_DESS_right", "008_T2_map"]
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [f"{n}{e}" for n in names for e in (".nii.gz", ".dcm")]
        + ["predictions.json", "labels.ctbl", "labels_itksnap.txt"]
    )
    cases = json.loads((out / "predictions.json").read_text())["cases"]
    assert list(cases) == names
    dicom = cases["007_DESS_right"]["dicom"]
    assert dicom["series_uid"] == tags["SeriesInstanceUID"]
    assert (dicom["side"], dicom["echo"]) == ("right", "rss")
    labels = read_labels(out / "007_DESS_right.nii.gz")
    assert labels.array.shape == SHAPE
    assert len(np.unique(labels.array)) > 1

    again = read_again([Path(file) for file in cases["007_DESS_right"]["images"]], dicom)
    np.testing.assert_allclose(again.array[0], grey_knee(0).array, atol=1.5)
    segmentation = highdicom.seg.segread(out / "007_DESS_right.dcm")
    uids = segmentation.get_source_image_uids()
    order = {image.SOPInstanceUID: k for k, image in _images(tmp_path / "in/a")}
    classes = segmentation.get_pixels_by_source_instance(
        sorted((uid for _, _, uid in uids), key=order.__getitem__),
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    np.testing.assert_array_equal(classes, labels.array)
    # a second run has nothing to do
    assert run(model, "-i", tmp_path / "in", "-o", out, "--dicom-seg", "--continue") == 0
    assert "2 images were finished" in capsys.readouterr().out


def _images(folder: Path) -> list:
    import pydicom

    images = [pydicom.dcmread(path) for path in folder.iterdir()]
    normal = np.cross(images[0].ImageOrientationPatient[:3], images[0].ImageOrientationPatient[3:])
    return [(float(np.dot(image.ImagePositionPatient, normal)), image) for image in images]


def test_a_broken_series_and_both_knees_fail_alone(
    tmp_path: Path, model: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "in/a", grey_knee(0), series_tags(3, "good"))
    write_series(tmp_path / "in/b", grey_knee(0), series_tags(4, "two", Laterality="B"))
    images = slices(grey_knee(1), series_tags(5, "bad"))
    del images[7]
    for k, image in enumerate(images):
        write(image, tmp_path / f"in/c/{k}")
    assert run(model, "-i", tmp_path / "in", "-o", tmp_path / "out") == 2
    cases = json.loads((tmp_path / "out/predictions.json").read_text())["cases"]
    assert {name: "error" in case for name, case in cases.items()} == {
        "003_good": False,
        "004_two": True,
        "005_bad": True,
    }
    told = capsys.readouterr().err
    assert "both knees" in told
    assert "005_bad: not segmented: missing slice: a slice is missing between slice 7" in told


def test_whoever_gives_the_side_knows_better_than_the_tags(tmp_path: Path, model: Path) -> None:
    write_series(tmp_path / "in", grey_knee(0), series_tags(4, "two", Laterality="B"))
    assert run(model, "-i", tmp_path / "in", "-o", tmp_path / "out", "--side", "left") == 0


def test_a_series_or_an_echo_is_chosen(tmp_path: Path) -> None:
    tags = series_tags(7, "DESS")
    for number in (1, 2):
        stack = random_stack(number, tags={"EchoNumbers": number})
        write_series(tmp_path / "in", stack, tags, first=1000 * number)
    write_series(tmp_path / "in/b", random_stack(), series_tags(8, "T2 map"))

    def jobs(**more: str) -> list[str]:
        found = find_jobs(tmp_path / "in", tmp_path / "out", 1, ".nii.gz", **more)
        return sorted(job.output.name for job in found)

    assert jobs() == ["007_DESS.nii.gz", "008_T2_map.nii.gz"]
    assert jobs(series="t2") == ["008_T2_map.nii.gz"]
    assert find_sources(tmp_path / "in", 1, "7", "2")["007_DESS"].echo == "2"
    assert find_sources(tmp_path / "in", 2, "7", None)["007_DESS"].echo == "channels"
    with pytest.raises(InputError, match="no such series"):
        jobs(series="99")
    with pytest.raises(SettingsError, match="rss or mean"):
        jobs(echo="last")
    with pytest.raises(SettingsError, match="takes 2 channels"):
        find_sources(tmp_path / "in", 2, None, "rss")
    (one,) = find_jobs(tmp_path / "in", tmp_path / "x.nii.gz", 1, ".nii.gz", "8")
    assert one.output == tmp_path / "x.nii.gz"
    with pytest.raises(SettingsError, match="holds 2 volumes; give a folder"):
        find_jobs(tmp_path / "in", tmp_path / "x.nii.gz", 1, ".nii.gz")


def test_echoes_as_channels(tmp_path: Path) -> None:
    from kneecascade.dicom.source import read_source

    tags = series_tags(7, "DESS")
    made = [random_stack(number, tags={"EchoNumbers": number}) for number in (1, 2)]
    for number, stack in enumerate(made):
        write_series(tmp_path, stack, tags, first=1 + 1000 * number)
    volume = read_source(find_sources(tmp_path, 2, None, None)["007_DESS"])
    np.testing.assert_array_equal(volume.array, np.stack([stack.array for stack in made]))


def test_dicom_settings_need_dicom(tmp_path: Path, model: Workspace) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.nii.gz").touch()
    with pytest.raises(SettingsError, match="here is none"):
        find_jobs(tmp_path / "in", tmp_path / "out", 1, ".nii.gz", echo="1")
    assert run(model, "-i", tmp_path / "in", "-o", tmp_path / "out", "--dicom-seg") == 2
    assert not (tmp_path / "out").exists()


def test_images_win_over_dicom_beside_them(tmp_path: Path) -> None:
    write_series(tmp_path / "dicom", random_stack(), series_tags())
    (tmp_path / "a.nii.gz").touch()
    (job,) = find_jobs(tmp_path, tmp_path / "out", 1, ".nii.gz")
    assert job.case.name == "a"
    with pytest.raises(InputError, match="no DICOM series that can"):
        find_jobs(_scout(tmp_path / "scout"), tmp_path / "out", 1, ".nii.gz")


def test_dicom_may_be_called_img(tmp_path: Path) -> None:
    for path in write_series(tmp_path / "in", random_stack(), series_tags(3, "DESS")):
        path.rename(path.with_name(f"{path.name}.img"))
    (job,) = find_jobs(tmp_path / "in", tmp_path / "out", 1, ".nii.gz")
    assert job.case.name == "003_DESS"
    (raw,) = _looks_like_dicom(tmp_path / "other")
    assert find_jobs(raw, tmp_path / "out", 1, ".img")[0].source is None


def _looks_like_dicom(folder: Path) -> list[Path]:
    folder.mkdir()
    (folder / "raw.img").write_bytes(b"\x08\x00" * 500)
    return [folder / "raw.img"]


def _scout(folder: Path) -> Path:
    write_series(folder, random_stack(shape=(3, 8, 8)), series_tags(1, "scout"))
    return folder


def test_a_case_knows_the_side_that_its_tags_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "a", random_stack(), series_tags(3, "one", ImageLaterality="L"))
    write_series(tmp_path / "b", random_stack(), series_tags(4, "two right", Laterality="L"))
    jobs = find_jobs(tmp_path, tmp_path / "out", 1, ".nii.gz")
    assert {job.case.name: job.case.side for job in jobs} == {"003_one": "left", "004_two_right": "unknown"}
    assert "series 4 two right: its tags disagree about the side" in capsys.readouterr().err


def test_the_same_values_come_as_from_nifti(tmp_path: Path) -> None:
    from kneecascade.dicom.source import read_source
    from kneecascade.pipeline.dicom import dicom_folder

    write_series(tmp_path / "in", random_stack(angles=ANGLES), series_tags(7, "DESS"))
    assert dicom_folder(tmp_path / "in", tmp_path / "out") == 0
    direct = read_source(find_sources(tmp_path / "in", 1, None, None)["007_DESS"])
    through = read_volume([tmp_path / "out/007_DESS.nii.gz"])
    np.testing.assert_array_equal(direct.array, through.array)
    np.testing.assert_allclose(direct.geometry.origin_mm_xyz, through.geometry.origin_mm_xyz, atol=1e-4)
