"""Any two folders: dataset_conversion.folders, .patterns, .tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest
from public_layouts import BONE_VALUES, block_knee, grey_image, labels_of, write_mhd, write_nifti

from kneecascade.cli.convert_dataset import main
from kneecascade.dataset_conversion.folders import FolderOptions, find_folders, read_label_names
from kneecascade.dataset_conversion.patterns import matching_files
from kneecascade.dataset_conversion.tables import read_rows, read_table
from kneecascade.errors import DatasetError
from kneecascade.imaging.files import read_labels, read_volume

KNEE = block_knee()
LABELS = labels_of(KNEE, BONE_VALUES)


def write_names(folder: Path) -> Path:
    file = folder / "names.csv"
    rows = "\n".join(f"{value},{name}" for name, value in BONE_VALUES.items())
    file.write_text(f"Value,Name\n0,background\n{rows}\n")
    return file


def write_hospital(root: Path) -> list[str]:
    """Writes two channels a knee below a folder a person; returns the command's flags for it."""
    for person, side in (("p1", "L"), ("p1", "R"), ("p2", "L")):
        for channel in (0, 1):
            image = root / f"mr/{person}/knee_{side}_echo{channel}.nii.gz"
            write_nifti(image, grey_image(KNEE, channel))
        write_nifti(root / f"seg/{person}-{side}-manual.nii.gz", LABELS)
    (root / "mr/p1/notes.txt").write_text("x")
    flags = {
        "--source": root / "mr",
        "--labels": root / "seg",
        "--label-names": write_names(root),
        "--image-pattern": "{subject}/knee_{side}_echo{channel}.nii.gz",
        "--label-pattern": "{subject}-{side}-*.nii.gz",
        "--name": "Hospital",
        "--licence": "ours",
    }
    return ["folders", "-d", "9", *(str(word) for pair in flags.items() for word in pair)]


def test_the_command_pairs_by_pattern(tmp_path: Path) -> None:
    assert main([*write_hospital(tmp_path), "--workspace", str(tmp_path / "w")]) == 0
    folder = tmp_path / "w/raw/Dataset009_Hospital"
    lines = (folder / "subjects.csv").read_text().splitlines()
    assert lines == ["case,subject,side", "p1_L,p1,left", "p1_R,p1,right", "p2_L,p2,left"]
    for channel in (0, 1):
        written = folder / f"imagesTr/p1_R_000{channel}.nii.gz"
        assert written.read_bytes() == (tmp_path / f"mr/p1/knee_R_echo{channel}.nii.gz").read_bytes()
    np.testing.assert_array_equal(read_labels(folder / "labelsTr/p2_L.nii.gz").array, LABELS)
    assert '"licence": "ours"' in (folder / "dataset.json").read_text()


def test_a_table_tells_subjects(tmp_path: Path) -> None:
    write_hospital(tmp_path)
    book = openpyxl.Workbook()
    book.active.append(["Case", "Subject", "Site", "Grade"])
    for row in (("p1_L", "anna", "Bern", 2), ("p1_R", "anna", "Bern", 3.0), ("p2_L", "bo", "Oslo", None)):
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")
    options = FolderOptions(
        tmp_path / "seg",
        tmp_path / "names.csv",
        "{subject}/knee_{side}_echo{channel}.nii.gz",
        "{subject}-{side}-*.nii.gz",
        subjects=tmp_path / "people.xlsx",
    )
    cases = find_folders(tmp_path / "mr", options).cases
    told = [(case.subject, case.site, case.grade) for case in cases]
    assert told == [("anna", "Bern", "2"), ("anna", "Bern", "3"), ("bo", "Oslo", "")]


def test_headers_with_data_apart_become_one_file(tmp_path: Path) -> None:
    write_mhd(tmp_path / "mr/a.mhd", grey_image(KNEE), (0.7, 0.4, 0.4))
    write_mhd(tmp_path / "seg/a.mhd", LABELS, (0.7, 0.4, 0.4))
    flags = ["--labels", str(tmp_path / "seg"), "--label-names", str(write_names(tmp_path))]
    patterns = ["--image-pattern", "{case}.mhd", "--label-pattern", "{case}.mhd"]
    where = ["--source", str(tmp_path / "mr"), "-d", "1", "--workspace", str(tmp_path / "w")]
    assert main(["folders", *flags, *patterns, *where]) == 0
    folder = tmp_path / "w/raw/Dataset001_Folders"
    np.testing.assert_array_equal(read_volume([folder / "imagesTr/a_0000.nii.gz"]).array[0], grey_image(KNEE))
    np.testing.assert_array_equal(read_labels(folder / "labelsTr/a.nii.gz").array, LABELS)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("knee.nii.gz", "at least one besides"),
        ("{channel}.nii.gz", "at least one besides"),
        ("{case}{case}.nii.gz", "at most once"),
        ("{knee}.nii.gz", "at most once"),
        ("{subject}/none_{side}.nii.gz", "no file like"),
        ("{subject}/*", "is the second file of p1"),
    ],
)
def test_unusable_patterns(tmp_path: Path, pattern: str, message: str) -> None:
    write_hospital(tmp_path)
    with pytest.raises(DatasetError, match=message):
        matching_files(tmp_path / "mr", pattern)


def test_what_does_not_pair_is_told(tmp_path: Path) -> None:
    flags = write_hospital(tmp_path)
    options = FolderOptions(tmp_path / "seg", tmp_path / "names.csv", flags[10], flags[12])
    (tmp_path / "mr/p2/knee_L_echo1.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"p2_L: has the channels \[0\], p1_L has \[0, 1\]"):
        find_folders(tmp_path / "mr", options)
    (tmp_path / "seg/p2-L-manual.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"the first is p2_L \(no label\)"):
        find_folders(tmp_path / "mr", options)
    with pytest.raises(DatasetError, match="give --labels"):
        find_folders(tmp_path / "mr", FolderOptions())
    with pytest.raises(DatasetError, match="letters and digits"):
        find_folders(tmp_path / "mr", FolderOptions(tmp_path, tmp_path, name="a b"))


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("a.json", '{"labels": {"background": 0, "femur": 3}}', {3: "femur"}),
        ("a.json", '{"labels": {"0": "background", "3": "femur"}}', {3: "femur"}),
        ("a.csv", "name,value\nfemur,3\n", {3: "femur"}),
    ],
)
def test_label_names(tmp_path: Path, file: str, text: str, expected: dict[int, str]) -> None:
    (tmp_path / file).write_text(text)
    assert read_label_names(tmp_path / file) == expected


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a.json", "{}", "has no labels"),
        ("a.csv", "number,name\n1,femur\n", "has no column value; there: number, name"),
        ("a.csv", "value,name\n1,femur\n1,tibia\n", "1 tibia is no value with a name, or is there twice"),
        ("a.csv", "value,name\none,femur\n", "one femur is no value"),
        ("a.csv", "value,name\n0,background\n", "names no label besides"),
        ("a.csv", "", "has no column value; there: nothing"),
        ("b.csv", "", "no such file"),
    ],
)
def test_unusable_label_names(tmp_path: Path, file: str, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text("")
    if file != "b.csv":
        (tmp_path / file).write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_label_names(tmp_path / file)


def test_tables_of_all_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffKnee-Side,ID\n right , 1\n\n".encode())
    assert read_table(tmp_path / "a.csv") == [{"kneeside": "right", "id": "1"}]
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_rows(tmp_path / "bad.csv")
    (tmp_path / "bad.xlsx").write_bytes(b"no workbook")
    with pytest.raises(DatasetError, match="cannot be read as an Excel file"):
        read_rows(tmp_path / "bad.xlsx")
