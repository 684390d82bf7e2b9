"""nnU-Net under the stopwatch: kneecascade.benchmark.speed_peer, speed_nnunet, speed_install.

A stand-in plays nnU-Net: a package of the same names whose network sleeps.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import knee

from kneecascade.benchmark import speed_peer
from kneecascade.benchmark.speed_install import NNUNET, peer_python
from kneecascade.benchmark.speed_nnunet import SCRIPT, NNUNet
from kneecascade.benchmark.speed_settings import Setting
from kneecascade.errors import KneecascadeError
from kneecascade.imaging.files import write_channel

STAND_IN = """
import sys, time
class nnUNetPredictor:
    def initialize_from_trained_model_folder(self, *a): time.sleep(0.05)
    def _internal_get_sliding_window_slicers(self, shape): return list(range(36))
    def _internal_maybe_mirror_and_predict(self, part): time.sleep(0.02); return part
def predict_entry_point():
    assert "--disable_tta" in sys.argv and sys.argv[0] == "nnUNetv2_predict", sys.argv
    predictor = nnUNetPredictor()
    predictor.initialize_from_trained_model_folder("model")
    for tile in predictor._internal_get_sliding_window_slicers((160, 384, 384)):
        predictor._internal_maybe_mirror_and_predict(tile)
        time.sleep(0.01)
"""
STEPS = """
def compute_steps_for_sliding_window(shape, patch, step):
    return [range(n - p + 1) for n, p in zip(shape, patch)]
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NNUNet:
    package = tmp_path / "packages" / "nnunetv2" / "inference"
    package.mkdir(parents=True)
    (package / "predict_from_raw_data.py").write_text(STAND_IN)
    (package / "sliding_window_prediction.py").write_text(STEPS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    return NNUNet(Path(sys.executable), tmp_path, 2, "cpu")


def test_only_the_first_tiles_are_done_and_all_are_counted(stand_in: NNUNet, tmp_path: Path) -> None:
    image, _ = knee(1)
    setting = Setting(tmp_path / "model", tmp_path / "images", tmp_path / "answers")
    write_channel(image.array[0], image.geometry, setting.images / "knee_0_0000.nii.gz")
    found = stand_in.predict("Dataset001_X", setting, 3)
    assert (found["tiles"], found["done"]) == (36, 3)
    assert len(found["tile_s"]) == len(found["network_s"]) == 3
    assert min(found["network_s"]) >= 0.02
    assert min(found["tile_s"][:2]) >= 0.03, "a tile's time holds what is done between two networks"
    assert found["load_s"] >= 0.05
    assert found["start_s"] < found["seconds"]


def test_tiles_are_counted_by_nnunet_itself(stand_in: NNUNet, tmp_path: Path) -> None:
    plans = {"configurations": {"3d_fullres": {"patch_size": [2, 3, 4]}}}
    folder = tmp_path / "preprocessed_nnunet" / "Dataset001_X"
    folder.mkdir(parents=True)
    (folder / "nnUNetPlans.json").write_text(json.dumps(plans))
    assert stand_in.tiles("Dataset001_X", [(2, 3, 4), (3, 3, 5), (1, 1, 1)]) == {
        "2,3,4": 1,
        "3,3,5": 4,
        "1,1,1": 1,
    }


def test_the_script_needs_nothing_of_this_package() -> None:
    assert Path(speed_peer.__file__) == SCRIPT
    code = f"import runpy, sys; runpy.run_path({str(SCRIPT)!r}); assert 'kneecascade' not in sys.modules"
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=SCRIPT.parent, timeout=60)


def test_an_environment_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "installed.txt").write_text(NNUNET)
    assert peer_python(tmp_path).is_relative_to(tmp_path)


def test_what_cannot_be_installed_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "broken"))
    (tmp_path / "broken").write_text("#!/bin/sh\necho no venv here >&2\nexit 1\n")
    (tmp_path / "broken").chmod(0o755)
    with pytest.raises(KneecascadeError, match=r"failed: no venv here; see .*install\.log"):
        peer_python(tmp_path / "environment")
