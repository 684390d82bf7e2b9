"""What all conversions share: dataset_conversion.writer, .case_writer, .description, .found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from public_layouts import CM_VALUES, block_knee, labels_of, write_iwoai2019, write_nifti, write_oaizib_cm

from kneecascade.cli.convert_dataset import SOURCES, main
from kneecascade.dataset_conversion import case_writer, writer
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.description import describe
from kneecascade.dataset_conversion.found import Found
from kneecascade.dataset_conversion.sources import convert
from kneecascade.dataset_conversion.writer import ConvertSettings
from kneecascade.errors import DatasetError


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_every_source_is_offered_and_known() -> None:
    assert set(SOURCES) - {"folders"} == set(CATALOGUE)


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_oaizib_cm(tmp_path / "s")
    (source / "labelsTs/oaizib_003.nii.gz").unlink()
    arguments = ["oaizib_cm", "--source", str(source), "-d", "4", "--workspace", str(tmp_path / "w")]
    assert main([*arguments, "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert "1/1/0" in shown.out
    assert "4 medial_tibial_cartilage" in shown.out
    assert "CC BY-NC 4.0" in shown.out
    assert "1 files are missing, the first is" in shown.err
    assert not (tmp_path / "w").exists()


def test_links_instead_of_copies(tmp_path: Path) -> None:
    source = write_oaizib_cm(tmp_path / "s")
    folder = convert("oaizib_cm", source, tmp_path / "raw", 1, ConvertSettings(link=True))
    for written, original in (
        ("imagesTr/oaizib_001_0000.nii.gz", "imagesTr/oaizib_001_0000.nii.gz"),
        ("labelsTs/oaizib_003.nii.gz", "labelsTs/oaizib_003.nii.gz"),
    ):
        assert (folder / written).is_symlink()
        assert os.path.samefile(folder / written, source / original)


def test_a_broken_case_stops_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, raw = write_oaizib_cm(tmp_path / "s", training=4), tmp_path / "raw"
    label = source / "labelsTr/oaizib_002.nii.gz"
    wrong = labels_of(block_knee("left"), CM_VALUES)
    wrong[0, 0, 0] = 7
    write_nifti(label, wrong)
    (source / "imagesTr/oaizib_003_0000.nii.gz").write_bytes(b"")
    with pytest.raises(
        DatasetError, match=r"2 cases could not be converted, .* holds the label value 7"
    ) as c:
        convert("oaizib_cm", source, raw, 1)
    assert "\n" not in str(c.value)
    assert [path.name for path in raw.iterdir()] == [".writing_Dataset001_OAIZIBCM"]
    write_nifti(label, labels_of(block_knee("left"), CM_VALUES))
    left = raw / ".writing_Dataset001_OAIZIBCM/imagesTr/.writing_killed"
    left.mkdir()
    (left / "half.nii.gz").write_bytes(b"")
    done: list[str] = []
    real = case_writer.convert_case

    def noted(case: object, *rest: object) -> dict:
        done.append(case.name)  # type: ignore[attr-defined]
        return real(case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(writer, "convert_case", noted)
    folder = convert("oaizib_cm", source, raw, 1, ConvertSettings(skip_broken=True))
    assert sorted(done) == ["oaizib_002", "oaizib_003"]  # cases are converted side by side
    assert "3 of 5 cases were converted already" in capsys.readouterr().out
    record = json.loads((folder / "conversion.json").read_text())
    assert list(record["left_out"]) == ["oaizib_003"]
    assert record["cases"]["oaizib_002"]["voxels"]["tibia"] == int((wrong == 3).sum())
    assert json.loads((folder / "dataset.json").read_text())["numTraining"] == 3
    assert "oaizib_003" not in (folder / "subjects.csv").read_text()
    assert not any("oaizib_003" in name or "writing" in name for name in files_of(folder))


def test_a_source_that_changed_is_converted_again(tmp_path: Path) -> None:
    source, raw = write_oaizib_cm(tmp_path / "s", training=2), tmp_path / "raw"
    broken = source / "imagesTs/oaizib_003_0000.nii.gz"
    whole = broken.read_bytes()
    broken.write_bytes(b"")
    with pytest.raises(DatasetError, match="1 cases could not be converted"):
        convert("oaizib_cm", source, raw, 1)
    broken.write_bytes(whole)
    changed = labels_of(block_knee("right"), CM_VALUES)
    changed[0, 0, 0] = 3
    write_nifti(source / "labelsTr/oaizib_001.nii.gz", changed)
    os.utime(source / "labelsTr/oaizib_001.nii.gz", (1, 1))
    folder = convert("oaizib_cm", source, raw, 1)
    written = (folder / "labelsTr/oaizib_001.nii.gz").read_bytes()
    assert written == (source / "labelsTr/oaizib_001.nii.gz").read_bytes()


def test_another_choice_starts_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, raw = write_iwoai2019(tmp_path / "s", {"train": 1, "valid": 1}), tmp_path / "raw"
    (source / "valid/valid_001_V01.seg").write_bytes(b"")
    with pytest.raises(DatasetError, match="cannot be read as HDF5"):
        convert("iwoai2019", source, raw, 1)
    settings = ConvertSettings(merge_menisci=True, skip_broken=True, official_split=False)
    folder = convert("iwoai2019", source, raw, 1, settings)
    assert "begun in another way; starting anew" in capsys.readouterr().out
    assert "splits.json" not in files_of(folder)


def test_a_label_in_no_case_is_refused(tmp_path: Path) -> None:
    source = write_oaizib_cm(tmp_path / "s", training=1, tests=1)
    for part, number in (("Tr", 1), ("Ts", 2)):
        labels = labels_of(block_knee(), CM_VALUES)
        labels[labels == 5] = 0
        write_nifti(source / f"labels{part}/oaizib_{number:03d}.nii.gz", labels)
    with pytest.raises(DatasetError, match="lateral_tibial_cartilage is in none of the 2 cases"):
        convert("oaizib_cm", source, tmp_path / "raw", 1)


def test_a_missing_label_of_one_case_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_oaizib_cm(tmp_path / "s")
    labels = labels_of(block_knee("right"), CM_VALUES)
    labels[labels == 5] = 0
    write_nifti(source / "labelsTr/oaizib_001.nii.gz", labels)
    convert("oaizib_cm", source, tmp_path / "raw", 1)
    assert "warning: oaizib_001: no lateral_tibial_cartilage" in capsys.readouterr().err


def test_a_knee_on_its_head_is_refused(tmp_path: Path) -> None:
    source = write_oaizib_cm(tmp_path / "s", training=1, tests=0)
    write_nifti(source / "labelsTr/oaizib_001.nii.gz", labels_of(block_knee(), CM_VALUES)[::-1])
    with pytest.raises(DatasetError, match="the femur lies below the tibia"):
        convert("oaizib_cm", source, tmp_path / "raw", 1)


def test_truncated_files_are_not_taken(tmp_path: Path) -> None:
    source = write_oaizib_cm(tmp_path / "s", training=1, tests=0)
    image = source / "imagesTr/oaizib_001_0000.nii.gz"
    image.write_bytes(image.read_bytes()[:-2000])
    with pytest.raises(DatasetError, match=r"oaizib_001_0000\.nii\.gz: (is truncated|cannot be read)"):
        convert("oaizib_cm", source, tmp_path / "raw", 1)


def test_empty_entries_are_left_out() -> None:
    found = Found("x", "X", ("MR",), {1: "a"}, (), "free", about={"reference": None, "name": "x"})
    assert describe(found, {"background": 0, "a": 1}, ()) == {
        "name": "x",
        "licence": "free",
        "channel_names": {"0": "MR"},
        "labels": {"background": 0, "a": 1},
        "numTraining": 0,
        "file_ending": ".nii.gz",
    }
    assert np.isscalar(describe(found, {"a": 1}, ())["licence"])
