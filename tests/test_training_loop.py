import json
from dataclasses import replace

import pytest
import torch
from plans import tiny_plan
from prepared import cube_case

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import TrainingError
from kneecascade.network.checkpoint import load_weights
from kneecascade.training import loop
from kneecascade.training.augment import NO_AUGMENTATION, Augmentation
from kneecascade.training.history import read_history
from kneecascade.training.loop import train_stage
from kneecascade.training.schedule import Clock

SETTINGS = TrainSettings(epochs=2, iterations_per_epoch=3, device="cpu", seed=3)
FEW = tuple(cube_case(k) for k in range(2))
HELD_OUT = (cube_case(50),)


def wide_plan():
    plan = tiny_plan()
    network = replace(plan.coarse.network, features=(8, 16, 24))
    return replace(plan, coarse=replace(plan.coarse, network=network))


def train(folder, stage="coarse", settings=SETTINGS, cases=FEW, **more):
    train_stage(stage, tiny_plan(), cases, HELD_OUT, settings, folder / "fold_0" / stage, **more)
    return load_weights(folder / "fold_0" / stage / "model.safetensors")


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_a_phantom(tmp_path):
    cases = [cube_case(k) for k in range(6)]
    settings = TrainSettings(epochs=2, iterations_per_epoch=80, learning_rate=1e-2, device="cpu")
    mild = replace(NO_AUGMENTATION, rotation=0.2, mirror=0.5, noise=0.2)
    folder = tmp_path / "fold_0" / "coarse"
    train_stage("coarse", wide_plan(), cases, HELD_OUT, settings, folder, augmentation=mild)
    last = read_history(folder)[-1]
    assert last.step == 160
    assert last.pseudo_dice["bone"] > 0.8
    assert last.pseudo_dice["cartilage"] > 0.8


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_the_same_seed_gives_the_same_weights(tmp_path, stage):
    first, metadata = train(tmp_path / "a", stage)
    second, _ = train(tmp_path / "b", stage)
    third, _ = train(tmp_path / "c", stage, replace(SETTINGS, seed=4))
    assert same(first, second)
    assert not same(first, third)
    assert metadata["stage"] == stage
    assert metadata["steps"] == "6"
    assert json.loads(metadata["plan"])["dataset_name"] == "Dataset001_Tiny"
    assert json.loads(metadata["training_cases"]) == ["case_0", "case_1"]


def test_stopped_and_continued_equals_uninterrupted(tmp_path, monkeypatch):
    whole, _ = train(tmp_path / "whole")

    def stop(*_):
        raise KeyboardInterrupt

    draw = loop.draw_progress
    monkeypatch.setattr(loop, "draw_progress", lambda folder, epochs: stop() if len(epochs) > 1 else None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts")
    folder = tmp_path / "parts" / "fold_0" / "coarse"
    assert not (folder / "model.safetensors").exists()
    assert len(read_history(folder)) == 2  # the second epoch was written, but not its checkpoint
    monkeypatch.setattr(loop, "draw_progress", draw)
    parts, _ = train(tmp_path / "parts", settings=replace(SETTINGS, resume=True))
    assert same(whole, parts)
    assert [epoch.step for epoch in read_history(folder)] == [3, 6]


def test_continue_without_a_checkpoint_starts_anew(tmp_path):
    assert same(train(tmp_path / "a")[0], train(tmp_path / "b", settings=replace(SETTINGS, resume=True))[0])


class Ticking(Clock):
    """Ten milliseconds pass with every look at it."""

    def __init__(self):
        self.seconds = 0.0

    def add(self, seconds):
        self.seconds += seconds

    def elapsed_s(self):
        self.seconds += 0.01
        return self.seconds


def test_time_ends_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "Clock", Ticking)
    settings = replace(SETTINGS, epochs=None, iterations_per_epoch=10)
    _, metadata = train(tmp_path, settings=settings, budget_s=0.6)
    last = read_history(tmp_path / "fold_0" / "coarse")[-1]
    assert last.step == int(metadata["steps"]) > 10
    assert last.step % 10  # the last epoch is cut short
    assert last.learning_rate < 0.2 * settings.learning_rate


def test_a_used_up_budget_still_gives_weights(tmp_path):
    _, metadata = train(tmp_path, budget_s=1e-3)
    assert metadata["steps"] == "0"


def test_a_loss_that_stays_nan_ends_the_training(tmp_path):
    broken = replace(FEW[0], coarse_image=FEW[0].coarse_image * float("nan"))
    with pytest.raises(TrainingError, match="not finite"):
        train(tmp_path, settings=replace(SETTINGS, iterations_per_epoch=9), cases=(broken,))
    assert not (tmp_path / "fold_0" / "coarse" / "model.safetensors").exists()


def test_cases_beyond_memory_are_read_by_processes(tmp_path, monkeypatch):
    in_memory, _ = train(tmp_path / "a")
    monkeypatch.setattr("kneecascade.training.bench.free_memory_bytes", lambda: 0)
    read, _ = train(tmp_path / "b", settings=replace(SETTINGS, workers=2))
    assert same(in_memory, read)


def test_the_default_augmentation_trains(tmp_path):
    strong = Augmentation(*([1.0] * 12))
    train(tmp_path, augmentation=strong)
    assert all(epoch.skipped == 0 for epoch in read_history(tmp_path / "fold_0" / "coarse"))
