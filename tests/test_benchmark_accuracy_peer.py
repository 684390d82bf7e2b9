"""nnU-Net within a budget: kneecascade.benchmark.accuracy_nnunet and accuracy_peer.

A stand-in plays nnU-Net: a package of the same names whose steps take their time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kneecascade.benchmark import accuracy_peer
from kneecascade.benchmark.accuracy_nnunet import SCRIPT, schedule

TRAINER = """
import time
from pathlib import Path
class Manager:
    patch_size, batch_size = [8, 8, 8], 2
class Network:
    def parameters(self): return []
class Trainer:
    def __init__(self, folder):
        self.output_folder, self.configuration_manager, self.network = folder, Manager(), Network()
        self.num_epochs = self.num_iterations_per_epoch = self.num_val_iterations_per_epoch = 0
        self.current_epoch, self.loaded = 0, False
        self.dataloader_train = self.dataloader_val = iter(lambda: {}, 1)
    def initialize(self): pass
    def load_checkpoint(self, path): self.loaded = True
    def on_train_start(self): pass
    on_epoch_start = on_train_epoch_start = on_validation_epoch_start = on_epoch_end = on_train_start
    def on_train_epoch_end(self, outputs): assert outputs
    on_validation_epoch_end = on_train_epoch_end
    def train_step(self, batch): time.sleep(0.01); return {}
    def validation_step(self, batch): time.sleep(0.003); return {}
    def run_training(self):
        steps = self.num_epochs * self.num_iterations_per_epoch
        text = f"{steps} {self.num_val_iterations_per_epoch} {self.loaded}"
        (Path(self.output_folder) / "checkpoint_final.pth").write_text(text)
def get_trainer_from_args(dataset, configuration, fold, plans_identifier, device):
    assert (configuration, fold) == ("3d_fullres", 0)
    Path(dataset).mkdir(exist_ok=True)
    return Trainer(dataset)
"""
TORCH = """
from contextlib import nullcontext as no_grad
device = str
def manual_seed(number): pass
def get_num_threads(): return 1
def set_num_threads(number): raise AssertionError("the number of threads is the environment's")
"""
PREDICT = """
import sys, torch
class Layer:
    class weight: shape = (4, 2, 3, 3, 3)
    def __init__(self): self.hooks = []
    def register_forward_hook(self, hook):
        self.hooks.append(hook)
        return type("Hook", (), {"remove": lambda _: self.hooks.clear()})()
    def __call__(self, x):
        for hook in self.hooks: hook(self, (x,), x)
class Conv3d(Layer): pass
class ConvTranspose3d(Layer): pass
class Map:
    def __init__(self, n): self.n = n
    def numel(self): return self.n
class nnUNetPredictor:
    def __init__(self):
        layers = [Conv3d(), ConvTranspose3d(), object()]
        self.network = type("Network", (), {"modules": lambda _: layers, "layers": layers})()
    def _internal_maybe_mirror_and_predict(self, part):
        for layer in self.network.layers[:2]: layer(Map(10))
def predict_entry_point():
    assert sys.argv == ["nnUNetv2_predict", "-i", "in"], sys.argv
    torch.set_num_threads(64)
    for _ in range(5): nnUNetPredictor()._internal_maybe_mirror_and_predict(0)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    packages = tmp_path / "packages"
    for name, text in (
        ("nnunetv2/run/run_training.py", TRAINER),
        ("nnunetv2/inference/predict_from_raw_data.py", PREDICT),
        ("torch.py", TORCH),
        ("numpy/random.py", "def seed(number): pass"),
        ("numpy/__init__.py", "from numpy import random"),
    ):
        file = packages / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return tmp_path


def run(folder: Path, verb: str, *arguments: str) -> dict:
    out = folder / "out.json"
    command = [sys.executable, str(SCRIPT), verb, str(out), *arguments]
    subprocess.run(command, check=True, cwd=folder, timeout=60)
    return json.loads(out.read_text())


def test_steps_are_timed_then_trained_once(stand_in: Path) -> None:
    model = str(stand_in / "model")
    speed = run(stand_in, "calibrate", model, "cpu", "nnUNetPlans", "3")
    assert 0.01 <= speed["wall"]["step_s"] < 0.1
    assert speed["wall"]["validation_s"] >= 0.003
    assert speed["processor"]["step_s"] < 0.01
    found = run(stand_in, "train", model, "cpu", "nnUNetPlans", "20", "7", "2", "0")
    final = stand_in / "model" / "checkpoint_final.pth"
    assert final.read_text() == "140 2 False"
    assert (found["patch"], found["batch"], found["resumed"]) == ([8, 8, 8], 2, False)
    written = final.stat().st_mtime_ns
    again = run(stand_in, "train", model, "cpu", "nnUNetPlans", "20", "7", "2", "0")
    assert (again, final.stat().st_mtime_ns) == (found, written)
    final.unlink()
    (stand_in / "model" / "checkpoint_latest.pth").touch()
    assert run(stand_in, "train", model, "cpu", "nnUNetPlans", "20", "7", "2", "0")["resumed"] is True
    assert final.read_text().endswith("True")


def test_forwards_and_their_multiply_adds_are_counted(stand_in: Path) -> None:
    found = run(stand_in, "predict", "-i", "in")
    # ten voxels out of 2x27 multiplications, ten voxels in of the same
    assert found == {"tiles": 5, "macs": 5 * (10 * 2 * 27 + 10 * 2 * 27)}


@pytest.mark.parametrize(("step_s", "epoch_s", "budget_s"), [(0.5, 2, 300), (8, 5, 300), (0.01, 1, 3600)])
def test_the_schedule_fills_the_budget_and_ends_inside(
    step_s: float, epoch_s: float, budget_s: float
) -> None:
    speed = {"wall": {"step_s": step_s, "validation_s": step_s / 3, "epoch_s": epoch_s}}
    plan = schedule(speed, budget_s, "wall")
    an_epoch = plan["iterations"] * step_s + plan["validation"] * step_s / 3 + epoch_s
    assert plan["iterations"] <= 250
    assert 0.7 * budget_s < plan["epochs"] * an_epoch <= budget_s


def test_a_budget_of_less_than_a_step_trains_one() -> None:
    speed = {"wall": {"step_s": 60.0, "validation_s": 20.0, "epoch_s": 5.0}}
    assert schedule(speed, 30, "wall") == {"epochs": 1, "iterations": 1, "validation": 1}


def test_the_script_needs_nothing_of_this_package() -> None:
    assert Path(accuracy_peer.__file__) == SCRIPT
    code = f"import runpy, sys; runpy.run_path({str(SCRIPT)!r}); assert 'kneecascade' not in sys.modules"
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=SCRIPT.parent, timeout=60)
