from __future__ import annotations

from pathlib import Path

import pytest

from kneecascade.errors import InputError, SettingsError
from kneecascade.pipeline.images import find_jobs, image_ending, strip_ending


def _touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_a_folder_with_and_without_suffix_and_mixed_endings(tmp_path: Path) -> None:
    folder = _touch(tmp_path / "in", "a_0000.nii.gz", "b.nii.gz", "c.mha", "notes.txt", ".hidden.nii.gz")
    jobs = find_jobs(folder, tmp_path / "out", 1, ".nii.gz")
    assert [job.case.name for job in jobs] == ["a", "b", "c"]
    assert [job.output.name for job in jobs] == ["a.nii.gz", "b.nii.gz", "c.mha"]
    assert jobs[0].case.images == (folder / "a_0000.nii.gz",)


def test_two_channels_belong_together(tmp_path: Path) -> None:
    folder = _touch(tmp_path / "in", "a_0000.nii.gz", "a_0001.nii.gz")
    (job,) = find_jobs(folder, tmp_path / "out", 2, ".nii.gz")
    assert [p.name for p in job.case.images] == ["a_0000.nii.gz", "a_0001.nii.gz"]
    (one,) = find_jobs(folder / "a_0000.nii.gz", tmp_path / "out", 2, ".nii.gz")
    assert one == job


@pytest.mark.parametrize(
    ("output", "expected"),
    [("out", "out/knee.mha"), ("some.nii.gz", "some.nii.gz"), ("deep/x.mha", "deep/x.mha")],
)
def test_one_file(tmp_path: Path, output: str, expected: str) -> None:
    file = _touch(tmp_path / "in", "knee.mha") / "knee.mha"
    (job,) = find_jobs(file, tmp_path / output, 1, ".nii.gz")
    assert job.case.name == "knee"
    assert job.output == tmp_path / expected


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        find_jobs(tmp_path / "none", tmp_path / "out", 1, ".nii.gz")
    with pytest.raises(InputError, match="no images in it"):
        find_jobs(_touch(tmp_path / "empty", "x.txt"), tmp_path / "out", 1, ".nii.gz")
    folder = _touch(tmp_path / "in", "a.nii.gz")
    with pytest.raises(InputError, match="needs 2 channels"):
        find_jobs(folder / "a.nii.gz", tmp_path / "out", 2, ".nii.gz")
    with pytest.raises(SettingsError, match="give a folder"):
        find_jobs(folder, tmp_path / "out.nii.gz", 1, ".nii.gz")
    with pytest.raises(SettingsError, match="would overwrite the image"):
        find_jobs(folder, folder, 1, ".nii.gz")
    with pytest.raises(InputError, match="two endings"):
        find_jobs(_touch(folder, "a.mha"), tmp_path / "out", 1, ".nii.gz")


def test_endings() -> None:
    assert image_ending(Path("a.b.nii.gz")) == ".nii.gz"
    assert image_ending(Path("a.nii")) == ".nii"
    assert image_ending(Path("folder.v2")) == ""
    assert strip_ending(Path("x/a.b.nii.gz")) == "a.b"
