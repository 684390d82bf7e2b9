from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry

from kneecascade.cli.evaluate import main
from kneecascade.core.case import LabelVolume
from kneecascade.imaging.files import write_labels
from kneecascade.pipeline.evaluate import find_labels, pair_files

Folders = tuple[Path, Path]


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
    return reference, predicted


def test_scores_of_two_folders(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    reference, predicted = folders
    names = {"labels": {"background": 0, "bone": 1, "cartilage": 2}}
    (reference.parent / "dataset.json").write_text(json.dumps(names))
    assert main(["-r", str(reference), "-p", str(predicted)]) == 0
    scores = json.loads((predicted / "scores.json").read_text())
    assert scores["cases"]["a"]["cartilage"]["dice"] == 1
    assert scores["cases"]["b"]["cartilage"]["dice"] == 0
    assert scores["mean_dice"]["cartilage"]["mean"] == 0.5
    assert scores["mean_dice"]["bone"] == {"mean": 1, "sd": 0, "n": 2}
    shown = capsys.readouterr().out
    assert "cartilage" in shown
    assert "0.500 ± 0.707" in shown


def test_missing_predictions_are_listed_and_end_in_2(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, predicted = folders
    (predicted / "b.mha").unlink()
    output = tmp_path / "deep" / "scores.json"
    assert main(["-r", str(reference), "-p", str(predicted), "-o", str(output)]) == 2
    assert "b: not scored: no prediction" in capsys.readouterr().err
    scores = json.loads(output.read_text())
    assert list(scores["cases"]) == ["a"]
    assert scores["problems"] == {"b": "no prediction"}


def test_another_grid_names_the_case(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    reference, predicted = folders
    _write(predicted / "b.mha", blob_labels((24, 28, 30)))
    assert main(["-r", str(reference), "-p", str(predicted)]) == 2
    assert "b: not scored" in capsys.readouterr().err


def test_where_label_names_come_from(folders: Folders, tmp_path: Path) -> None:
    reference, predicted = folders
    pairs = pair_files(reference, predicted)

    def names(given: Path | None = None) -> tuple[str, ...]:
        return find_labels(reference, predicted, pairs, given)[0].foreground

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
    assert main(["-r", str(folders[0]), "-p", str(folders[1]), "--labels", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_folders_must_be_there(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-r", str(tmp_path / "none"), "-p", str(folders[1])]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["-r", str(tmp_path / "empty"), "-p", str(folders[1])]) == 2
    assert "no reference segmentation" in capsys.readouterr().err
