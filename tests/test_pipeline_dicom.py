"""kc_dicom: the table, the files, the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import random_stack, series_tags, slices, write, write_series
from pydicom.uid import ExplicitVRBigEndian

from kneecascade.cli.dicom import main
from kneecascade.errors import InputError
from kneecascade.imaging.files import read_volume
from kneecascade.pipeline.dicom import dicom_folder


def broken_series(folder: Path, number: int = 9) -> None:
    images = slices(random_stack(9), series_tags(number, "broken"))
    del images[4]
    for k, image in enumerate(images):
        write(image, folder / f"bad{k}")


def test_eight_echoes_become_eight_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = series_tags()
    made = [random_stack(k, shape=(24, 5, 6), angles=(20.0, 15.0)) for k in range(1, 9)]
    for k, stack in enumerate(made, 1):
        stack.tags = {"EchoNumbers": k, "EchoTime": f"{k * 9.5}"}
        write_series(tmp_path / "in", stack, tags, ExplicitVRBigEndian, first=24 * k)
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    files = sorted((tmp_path / "out").glob("*.nii.gz"))
    assert [path.name for path in files] == [f"005_Sag_DESS_echo{k}.nii.gz" for k in range(1, 9)]
    for path, stack in zip(files, made, strict=True):
        image = sitk.ReadImage(str(path))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), stack.array)
        assert image.GetPixelID() == sitk.sitkUInt16
        np.testing.assert_allclose(image.GetSpacing(), stack.spacing_mm[::-1], atol=1e-5)
        np.testing.assert_allclose(image.GetOrigin(), stack.origin, atol=1e-4)
        np.testing.assert_allclose(
            np.array(image.GetDirection()).reshape(3, 3), np.stack(stack.axes, axis=1), atol=1e-5
        )
    (row,) = json.loads((tmp_path / "out/dicom.json").read_text())["series"]
    assert row["files"] == [path.name for path in files]
    assert [echo["echo_time_ms"] for echo in row["echoes"]] == [9.5 * k for k in range(1, 9)]
    cells = [cell.strip() for cell in capsys.readouterr().out.split("│")]
    assert {"5", "Sag DESS", "6 x 5 x 24", "unknown", "yes"} <= set(cells)
    assert any(cell.startswith("8: 9.5, ...") or cell == "8: 9.5," for cell in cells)


def test_echoes_can_be_combined_or_chosen(tmp_path: Path) -> None:
    tags = series_tags()
    made = [random_stack(k, tags={"EchoNumbers": k}) for k in (1, 2)]
    for k, stack in enumerate(made):
        write_series(tmp_path / "in", stack, tags, first=1 + 100 * k)
    assert dicom_folder(tmp_path / "in", tmp_path / "out", echo="rss") == 0
    values = read_volume([tmp_path / "out/005_Sag_DESS_rss.nii.gz"]).array[0]
    np.testing.assert_allclose(values, np.hypot(*(s.array.astype(float) for s in made)), rtol=1e-6)
    assert dicom_folder(tmp_path / "in", tmp_path / "out", echo="2") == 0
    values = read_volume([tmp_path / "out/005_Sag_DESS_echo2.nii.gz"]).array[0]
    np.testing.assert_array_equal(values, made[1].array)
    assert dicom_folder(tmp_path / "in", tmp_path / "out", echo="3") == 1
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 2


def test_a_broken_series_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "in/a", random_stack(1), series_tags(4, "good"))
    write_series(tmp_path / "in/b", random_stack(2), series_tags(5, "good too"))
    broken_series(tmp_path / "in/c")
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "004_good.nii.gz",
        "005_good_too.nii.gz",
        "dicom.json",
    ]
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "missing" in line]
    assert line.startswith("warning: series 9 broken: not used: missing slice: a slice is missing between")
    assert "slice 4 (c/bad3)" in line


def test_a_localiser_is_no_failure_beside_a_volume(tmp_path: Path) -> None:
    write_series(tmp_path / "scout", random_stack(shape=(3, 4, 5)), series_tags(1, "scout"))
    assert dicom_folder(tmp_path) == 1
    write_series(tmp_path / "good", random_stack(), series_tags(4, "good"))
    assert dicom_folder(tmp_path) == 0


def test_a_slice_that_cannot_be_read_fails_its_series_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_series(tmp_path / "in/a", random_stack(1), series_tags(4, "torn"))
    write_series(tmp_path / "in/b", random_stack(2), series_tags(5, "good"))
    paths[3].write_bytes(paths[3].read_bytes()[:-50])
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 2
    assert [p.name for p in (tmp_path / "out").glob("*.nii.gz")] == ["005_good.nii.gz"]
    assert f"series 4 torn: not written: slice 4 (a/{paths[3].name})" in capsys.readouterr().err


def test_json_is_printed_in_place_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "a", random_stack(), series_tags(4, "Knie links", EchoTime="7.5"))
    broken_series(tmp_path / "b")
    assert main([str(tmp_path), "--json"]) == 2
    good, bad = sorted(json.loads(capsys.readouterr().out), key=lambda row: row["number"])
    assert (good["usable"], good["side"], good["size_xyz"]) == (True, "left", [14, 12, 10])
    assert good["spacing_mm_xyz"] == [0.4, 0.5, 1.5]
    assert not bad["usable"]
    assert "missing between" in bad["why_not"]


def test_one_series_of_several(tmp_path: Path) -> None:
    write_series(tmp_path / "in/a", random_stack(1), series_tags(4, "good"))
    broken_series(tmp_path / "in/b", 9)
    assert dicom_folder(tmp_path / "in", tmp_path / "out", series="4") == 0
    with pytest.raises(InputError, match="--series 77: no such series"):
        dicom_folder(tmp_path / "in", series="77")


def test_nonsense_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path), "--echo", "first"]) == 2
    assert [line[:6] for line in capsys.readouterr().err.splitlines()] == ["error:", "error:"]
