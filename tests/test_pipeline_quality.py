from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from knees import LABELS, block_knee

from kneecascade.cli.quality import main
from kneecascade.core.case import LabelVolume
from kneecascade.core.record import to_plain
from kneecascade.evaluation.quality_features import measure_features
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.evaluation.quality_limits import make_reference
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.inference.sureness import Sureness
from kneecascade.pipeline.quality import Judge, load_judge, review


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    cases = [measure_features(*block_knee(seed), LABELS) for seed in range(12)]
    write_json(folder / FILE, to_plain(make_reference(cases, LABELS, "Dataset001_Blocks", "0" * 16)))
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for seed, name in ((20, "sound"), (21, "swapped"), (22, "crumbs")):
        volume, labels = block_knee(seed)
        array = labels.array.copy()
        if name == "swapped":
            array[labels.array == 2], array[labels.array == 7] = 7, 2
        if name == "crumbs":
            array[2:6, 0:4, 34:38] = 2
        write_labels(LabelVolume(array, labels.geometry), tmp_path / "labels" / f"{name}.mha")
        write_channel(volume.array[0], volume.geometry, tmp_path / "images" / f"{name}_0000.mha")
    return tmp_path / "labels", tmp_path / "images"


def _run(folders: tuple[Path, Path], model: Path, *more: object) -> int:
    return main(["-p", str(folders[0]), "-i", str(folders[1]), "-m", str(model), *map(str, more)])


def test_a_folder_is_judged_the_worst_first(
    folders: tuple[Path, Path], model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folders, model) == 0
    found = json.loads((folders[0] / "quality_review.json").read_text())
    assert found["review"] == ["swapped", "crumbs"]
    assert found["cases"]["sound"]["flags"] == []
    flag = found["cases"]["crumbs"]["quality"]["flags"][0]
    assert {"check", "what", "value", "low", "high", "excess", "text"} == set(flag)
    shown = capsys.readouterr().out
    assert shown.index("swapped") < shown.index("crumbs")
    assert "2 of 3 cases have flags" in shown


def test_without_images_and_with_one_missing(
    folders: tuple[Path, Path], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-p", str(folders[0]), "-m", str(model), "-o", str(tmp_path / "mine.json")]) == 0
    assert json.loads((tmp_path / "mine.json").read_text())["review"] == ["swapped", "crumbs"]
    (folders[1] / "sound_0000.mha").unlink()
    other = block_knee(3)[0]
    write_channel(other.array[0, 1:], other.geometry, folders[1] / "crumbs_0000.mha")
    assert _run(folders, model) == 2
    errors = capsys.readouterr().err
    assert "sound: no image of this name" in errors
    assert "crumbs" in errors
    assert json.loads((folders[0] / "quality_review.json").read_text())["review"][-1] == "swapped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "."], "-p: give the folder"),
        (["--learn"], "name the data set"),
        (["-p", ".", "-m", "."], "kc_quality --learn"),
    ],
)
def test_mistakes_end_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_empty_folder_is_refused(model: Path, tmp_path: Path) -> None:
    assert main(["-p", str(tmp_path), "-m", str(model)]) == 2


def test_what_the_inference_said_is_not_said_twice(model: Path) -> None:
    volume, labels = block_knee(20)
    gone = LabelVolume(np.where(labels.array == 2, 0, labels.array), labels.geometry)
    judge = Judge(read_reference(model))
    said = judge.record(volume, gone, None, ["no femoral_cartilage found by the fine stage"])
    alone = judge.record(volume, gone, None, [])
    assert len(said["flags"]) == len(alone["flags"])
    assert not any("femoral_cartilage is missing" in text for text in said["flags"])


def test_unsure_folds_are_flagged(model: Path) -> None:
    volume, labels = block_knee(20)
    judge = load_judge(model, [])
    sure = judge.record(volume, labels, Sureness({"femur": 0.1}, {"femur": 0.95}), [])
    assert sure["quality"]["training_cases"] == 12
    assert sure["flags"] == []
    torn = judge.record(volume, labels, Sureness({"femur": 0.1}, {"femur": 0.5}), [])
    assert torn["flags"] == ["smallest Dice of two folds, femur: 0.5, expected at least 0.85"]


def test_a_model_without_limits_checks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge = load_judge(tmp_path, ["fold_0"])
    assert "kc_quality --learn" in capsys.readouterr().out
    record = judge.record(*block_knee(0), None, ["a doubt"])
    assert record == {"flags": ["a doubt"], "quality": {"doubt": 1.0, "training_cases": 0, "flags": []}}


def test_failed_cases_come_first() -> None:
    records = {"a": {"quality": {"doubt": 2}}, "b": {"error": "x"}, "c": {"quality": {"doubt": 0}}, "d": {}}
    assert review(records) == ["b", "a"]
