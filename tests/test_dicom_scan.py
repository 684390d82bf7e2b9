"""A folder tree as it comes from an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_files import random_stack, series_tags, slices, write, write_series
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from kneecascade.dicom.scan import quiet_pydicom, scan
from kneecascade.dicom.sniff import holds_dicom, is_dicom
from kneecascade.errors import InputError


def test_junk_is_passed_over_and_reports_are_counted(tmp_path: Path) -> None:
    write_series(tmp_path / "DICOM/00000A1", random_stack(), series_tags())
    image = slices(random_stack(), series_tags())[0]
    index, report = Dataset(), Dataset(image)
    index.SOPClassUID, index.SOPInstanceUID = "1.2.840.10008.1.3.10", generate_uid()
    write(index, tmp_path / "DICOMDIR")
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    write(report, tmp_path / "DICOM/report")
    for name, data in (
        ("VERSION", b"1.0"),
        ("viewer.exe", b"MZ" * 400),
        ("empty", b""),
        (".DS_Store", b"\0"),
    ):
        (tmp_path / name).write_bytes(data)
    found = scan(tmp_path)
    assert len(found.frames) == 10
    assert found.without_image == 1
    assert found.unreadable == []
    assert found.frames[0].name.startswith("DICOM/00000A1/IM")


def test_a_broken_header_is_told(tmp_path: Path) -> None:
    paths = write_series(tmp_path, random_stack(), series_tags())
    paths[2].write_bytes(paths[2].read_bytes()[:250])
    found = scan(tmp_path)
    assert len(found.frames) == 9
    assert found.unreadable == [paths[2].name]


def test_one_file_may_be_given(tmp_path: Path) -> None:
    path = write_series(tmp_path, random_stack(), series_tags())[0]
    assert [frame.name for frame in scan(path).frames] == [path.name]


def test_a_dicomdir_stands_for_its_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "DICOM/A", random_stack(), series_tags())
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert len(scan(tmp_path / "DICOMDIR").frames) == 10


def test_an_archive_that_is_not_unpacked_is_named(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(b"PK" * 300)
    for given in (tmp_path, tmp_path / "export.zip"):
        with pytest.raises(InputError, match=r"no DICOM images in it; unpack export\.zip first"):
            scan(given)


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "knee.nii.gz").write_bytes(b"\x1f\x8b" * 100)
    with pytest.raises(InputError, match="no DICOM images in it"):
        scan(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        scan(tmp_path / "nowhere")


def test_dicom_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    path = write_series(tmp_path / "deep/down", random_stack(), series_tags())[0]
    other = tmp_path / "notes.dcm"
    other.write_bytes(b"not at all" * 30)
    assert is_dicom(path)
    assert not is_dicom(other)
    assert not is_dicom(tmp_path / "nowhere")
    assert holds_dicom(tmp_path)
    path.parent.rename(tmp_path.parent / "elsewhere")
    assert not holds_dicom(tmp_path)


def test_tags_that_break_the_standard_do_no_harm(tmp_path: Path) -> None:
    images = slices(random_stack(shape=(8, 4, 4)), series_tags())
    with quiet_pydicom():
        for k, image in enumerate(images):
            image.PatientID = "x" * 100
            image.EchoTime = ""
            image.SeriesNumber = None
            image.FrameOfReferenceUID = "not.a.uid"
            write(image, tmp_path / str(k))
    frame = scan(tmp_path).frames[0]
    assert frame.echo_time_ms is None
    assert frame.series.number is None
    assert frame.space_uid == "not.a.uid"
