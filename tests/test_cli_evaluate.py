from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry

from kneecascade.cli.evaluate import main
from kneecascade.core.case import LabelVolume
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline.evaluate import pair_files
from kneecascade.pipeline.label_files import find_labels, label_files

Folders = tuple[Path, Path]
NAMES = {"labels": {"background": 0, "bone": 1, "cartilage": 2}}


def _write(path: Path, array: np.ndarray) -> None:
    write_labels(LabelVolume(array, tiny_geometry(array.shape)), path)  # type: ignore[arg-type]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    reference, predicted = tmp_path / "set" / "labelsTs", tmp_path / "predicted"
    labels = blob_labels()
    worse = labels.copy()
    worse[worse == 2] = 0
    for name, guess in (("a", labels), ("b", worse)):
        _write(reference / f"{name}.nii.gz", labels)
        _write(predicted / f"{name}.mha", guess)
    (reference.parent / "dataset.json").write_text(json.dumps(NAMES))
    return reference, predicted


def _run(folders: Folders, *more: object) -> int:
    return main(["-r", str(folders[0]), "-p", str(folders[1]), *map(str, more)])


def test_scores_of_two_folders(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folders) == 0
    scores = json.loads((folders[1] / "scores.json").read_text())
    assert scores["cases"]["a"]["cartilage"]["dice"] == 1
    assert scores["cases"]["b"]["cartilage"]["dice"] == 0
    assert scores["mean_dice"]["cartilage"]["mean"] == 0.5
    assert scores["mean_dice"]["bone"] == {"mean": 1, "sd": 0, "n": 2}
    assert scores["mean_dice_of_labels"] == 0.75
    assert scores["summary"]["cartilage"]["assd_mm"]["undefined"] == 1
    assert scores["measures"]["hd95_mm"]["unit"] == "mm"
    assert set(scores["cases"]["b"]["bone"]) <= set(scores["measures"])
    assert scores["bland_altman"]["cartilage"]["thickness_mm"]["n"] == 1
    shown = capsys.readouterr().out
    assert "0.500±0.707" in shown
    assert "0.000 b" in shown


def test_the_long_table_says_the_same(folders: Folders, tmp_path: Path) -> None:
    (folders[0].parent / "subjects.csv").write_text("case,subject,side\na,p,left\nb,q,right\n")
    assert _run(folders, "-o", tmp_path / "mine.json", "--tolerance", 2) == 0
    scores = json.loads((tmp_path / "mine.json").read_text())
    with (tmp_path / "mine.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {"case", "subject", "side", "label", "measure", "value", "unit"} <= set(rows[0])
    for row in rows:
        value = scores["cases"][row["case"]][row["label"]][row["measure"]]
        assert row["value"] == "" if value is None else float(row["value"]) == pytest.approx(value, rel=1e-4)
    assert {row["side"] for row in rows if row["case"] == "a"} == {"left"}
    assert "nsd_2mm" in scores["cases"]["a"]["bone"]
    assert set(scores["groups"]["side"]) == {"left", "right"}
    assert scores["groups"]["side"]["right"]["cartilage"]["dice"]["mean"] == 0


def test_missing_predictions_are_listed_and_end_in_2(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders[1] / "b.mha").unlink()
    output = tmp_path / "deep" / "scores.json"
    assert _run(folders, "-o", output) == 2
    assert "b: not scored: no prediction" in capsys.readouterr().err
    scores = json.loads(output.read_text())
    assert list(scores["cases"]) == ["a"]
    assert scores["problems"] == {"b": "no prediction"}


def test_another_grid_names_the_case(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        _write(folders[1] / f"{name}.mha", blob_labels((24, 28, 30)))
    assert _run(folders) == 2
    assert "b: not scored" in capsys.readouterr().err
    assert json.loads((folders[1] / "scores.json").read_text())["cases"] == {}


def test_two_methods(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        _write(tmp_path / "other" / f"{name}.mha", blob_labels())
    assert _run(folders, "--against", tmp_path / "other", "--seed", 3) == 0
    found = json.loads((folders[1] / "scores.json").read_text())
    dice = found["comparison"]["cartilage"]["dice"]
    assert (dice["mean"], dice["mean_against"], dice["difference"], dice["n"]) == (0.5, 1, -0.5, 2)
    assert found["comparison"]["cartilage"]["assd_mm"]["left_out"] == 1
    assert found["against"] == str(tmp_path / "other")
    assert "this less against" in capsys.readouterr().out


def test_inside_a_region_of_interest(folders: Folders, tmp_path: Path) -> None:
    labels = blob_labels()
    for name in "ab":
        _write(tmp_path / "roi" / f"{name}.mha", np.where(labels == 2, 0, 1).astype(np.int16))
    assert _run(folders, "--roi", tmp_path / "roi") == 0
    scores = json.loads((folders[1] / "scores.json").read_text())
    assert scores["cases"]["b"]["cartilage"]["dice"] is None
    assert scores["cases"]["b"]["bone"]["dice"] == 1
    (tmp_path / "roi" / "b.mha").unlink()
    assert _run(folders, "--roi", tmp_path / "roi") == 2


def test_pictures_with_the_worst_first(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = blob_labels()
    write_channel(
        labels.astype(np.float32) * 50, tiny_geometry(labels.shape), tmp_path / "images" / "b_0000.mha"
    )  # type: ignore[arg-type]
    assert _run(folders, "--pictures", "--images", tmp_path / "images") == 0
    pictures = folders[1] / "scores_pictures"
    assert {p.name for p in pictures.iterdir()} == {
        "boxes.png",
        "agreement_volume_ml.png",
        "agreement_thickness_mm.png",
        "worst1_b.png",
    }
    assert "a: no image to draw it over" in capsys.readouterr().err


def test_where_label_names_come_from(folders: Folders, tmp_path: Path) -> None:
    reference, predicted = folders
    files = list(label_files(reference).values())
    (reference.parent / "dataset.json").unlink()

    def names(given: Path | None = None) -> tuple[str, ...]:
        return find_labels(reference, predicted, files, given)[0].foreground

    assert names() == ("1", "2")
    (predicted / "predictions.json").write_text('{"labels": {"background": 0, "x": 1}}')
    assert names() == ("x",)
    (reference.parent / "dataset.json").write_text('{"labels": {"y": 2, "z": 1}}')
    assert names() == ("z", "y")
    given = tmp_path / "other.json"
    given.write_text('{"labels": {"femur": 1}}')
    assert names(given) == ("femur",)


@pytest.mark.parametrize("text", ["{}", '{"labels": {"all": [1, 2]}}', "[]"])
def test_unusable_label_names_end_in_one_line(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "labels.json"
    file.write_text(text)
    assert _run(folders, "--labels", file) == 2
    error = capsys.readouterr().err
    assert "labels must be like" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--group", "side"), "needs a subjects.csv"),
        (("--cartilage", "menisci"), "the labels are bone, cartilage"),
        (("--roi", ".", "--cartilage"), "expected at least one argument"),
        (("--images", "."), "only --pictures"),
        (("--subjects", "none.csv"), "no such file"),
        (("--against", "nowhere"), "no such folder"),
    ],
)
def test_mistakes_end_in_one_line(
    folders: Folders, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    try:
        code = _run(folders, *more)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert message in capsys.readouterr().err


def test_no_folder_and_no_reference(
    tmp_path: Path, folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-r", str(tmp_path / "none"), "-p", str(folders[1])]) == 2
    assert main(["-p", str(folders[1])]) == 2
    assert "only --precision needs none" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["-r", str(tmp_path / "empty"), "-p", str(folders[1])]) == 2


def test_pairs_of_files(folders: Folders) -> None:
    pairs = pair_files(*folders, roi=folders[0])
    assert [(p.name, p.predicted.suffix, p.roi == p.reference) for p in pairs] == [  # type: ignore[union-attr]
        ("a", ".mha", True),
        ("b", ".mha", True),
    ]
