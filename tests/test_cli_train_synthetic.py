"""kc_train_synthetic: arguments become settings; the long test trains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kneecascade.cli.train_synthetic import main
from kneecascade.pipeline import train_synthetic as pipeline


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Notes what would be made, planned and trained."""
    done: list[tuple[str, object]] = []
    monkeypatch.setattr(pipeline, "make_legs", lambda *a: done.append(("made", a)))
    monkeypatch.setattr(
        pipeline, "make_phantoms", lambda folder, n, recipe, _: done.append(("made", (folder, n, recipe)))
    )
    monkeypatch.setattr(pipeline, "plan_and_preprocess", lambda *a: done.append(("planned", a)))
    monkeypatch.setattr(pipeline, "train_folds", lambda *a: done.append(("trained", a)))
    return done


def test_procedural_knees_by_default(tmp_path: Path, steps: list[tuple[str, object]]) -> None:
    assert main(["--workspace", str(tmp_path), "-n", "7", "--memory-gb", "2", "--epochs", "1"]) == 0
    assert [name for name, _ in steps] == ["made", "planned", "trained"]
    made = (tmp_path / "raw" / "Dataset900_Synthetic", 7, 0, 0, (0.75, 0.75, 0.75), None)
    assert steps[0][1] == made
    _, number, folds, settings = steps[2][1]  # type: ignore[misc]
    assert (number, folds, settings.synthetic, settings.epochs) == ("900", (0,), True, 1)


def test_label_maps_are_mirrored_too(tmp_path: Path, steps: list[tuple[str, object]]) -> None:
    flags = ["--anatomy", str(tmp_path / "maps"), "--spacing", "1", "1", "1.5", "-d", "901", "--folds", "0-1"]
    assert main(["--workspace", str(tmp_path), *flags]) == 0
    recipe = steps[0][1][2]  # type: ignore[index]
    assert recipe.anatomy == tmp_path / "maps"
    assert recipe.mirror
    assert recipe.spacing_mm == (1.0, 1.0, 1.5)


def test_a_number_that_is_taken(
    tmp_path: Path, steps: list[tuple[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw" / "Dataset900_Mine").mkdir(parents=True)
    assert main(["--workspace", str(tmp_path)]) == 2
    assert "Dataset900_Mine has this number already" in capsys.readouterr().err
    assert main(["--workspace", str(tmp_path), "-d", "1000"]) == 2
    assert not steps


@pytest.mark.long
def test_a_cascade_trained_on_nothing_but_painted_knees(tmp_path: Path) -> None:
    flags = ["-n", "4", "--memory-gb", "1", "--epochs", "1", "--iterations-per-epoch", "2", "--workers", "1"]
    assert main(["--workspace", str(tmp_path), *flags, "--device", "cpu"]) == 0
    fold = tmp_path / "results" / "Dataset900_Synthetic" / "fold_0"
    assert json.loads((fold / "run.json").read_text())["settings"]["synthetic"] is True
    assert (fold / "validation" / "summary.json").is_file()
