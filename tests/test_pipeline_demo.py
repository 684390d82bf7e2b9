from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kneecascade.cli.demo import main
from kneecascade.errors import SettingsError
from kneecascade.pipeline import demo
from kneecascade.pipeline.shipped import shipped_models

STEPS = ("make_phantoms", "plan_and_preprocess", "train_folds", "predict_images", "evaluate_folders")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict]:
    """Replaces the steps by notes of their arguments, bound to the real signatures."""
    noted: dict[str, dict] = {}

    def note(name: str, signature: inspect.Signature) -> Callable[..., None]:
        return lambda *args, **kwargs: noted.update({name: signature.bind(*args, **kwargs).arguments})

    for name in STEPS:
        monkeypatch.setattr(demo, name, note(name, inspect.signature(getattr(demo, name))))
    return noted


def test_the_steps_fit_together(tmp_path: Path, calls: dict, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    demo.run_demo(folder, minutes=3.0, seed=4, device="cpu")
    assert tuple(calls) == STEPS
    raw = folder / "raw/Dataset001_Phantom"
    assert calls["make_phantoms"]["output"] == raw
    assert calls["train_folds"]["workspace"].raw == raw.parent
    assert calls["train_folds"]["settings"].time_limit_s == pytest.approx(90)
    assert calls["train_folds"]["settings"].seed == calls["make_phantoms"]["recipe"].seed == 4
    assert calls["train_folds"]["settings"].pretrained in shipped_models()
    assert calls["predict_images"]["inputs"] == raw / "imagesTs"
    assert calls["predict_images"]["settings"].device == "cpu"
    assert calls["evaluate_folders"]["predicted"] == calls["predict_images"]["output"]
    shown = capsys.readouterr().out
    assert "[5/5]" in shown
    assert "kc_plan_and_preprocess" in shown


def test_an_earlier_demo_is_replaced(tmp_path: Path, calls: dict) -> None:
    demo.run_demo(tmp_path / "demo")
    old = tmp_path / "demo/results/old"
    old.mkdir(parents=True)
    demo.run_demo(tmp_path / "demo")
    assert not old.exists()
    assert json.loads((tmp_path / "demo/demo.json").read_text())["kneecascade"]


def test_what_is_no_demo_is_left_alone(
    tmp_path: Path, calls: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "results/mine.txt"
    mine.parent.mkdir()
    mine.write_text("kept")
    assert main(["-o", str(tmp_path)]) == 2
    assert "choose another" in capsys.readouterr().err
    assert mine.read_text() == "kept"
    assert not calls
    with pytest.raises(SettingsError, match="no demo"):
        demo.run_demo(mine)


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_time_is_needed(tmp_path: Path, minutes: str, calls: dict) -> None:
    assert main(["-o", str(tmp_path / "demo"), "--minutes", minutes]) == 2
    assert not (tmp_path / "demo").exists()


@pytest.mark.long
def test_the_whole_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRAINING", 5)
    monkeypatch.setattr(demo, "UNSEEN", 1)
    folder = tmp_path / "demo"
    assert main(["-o", str(folder), "--minutes", "0.5", "--debug"]) == 0
    scores = json.loads((folder / "predictions/scores.json").read_text())
    assert list(scores["cases"]) == ["phantom_005"]
    assert (folder / "predictions/phantom_005.nii.gz").is_file()
    assert (folder / "predictions/pictures/phantom_005.png").is_file()
    for fold in (0, 1):
        assert (folder / f"results/Dataset001_Phantom/fold_{fold}/validation/summary.json").is_file()
