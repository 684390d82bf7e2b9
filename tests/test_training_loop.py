import json
from dataclasses import replace

import pytest
import torch
from plans import tiny_plan
from prepared import cube_case

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import OutOfTimeError, TrainingError
from kneecascade.network.checkpoint import load_weights
from kneecascade.training import loop
from kneecascade.training.augment import NO_AUGMENTATION, Augmentation
from kneecascade.training.history import read_history
from kneecascade.training.loop import train_stage
from kneecascade.training.position import Round
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

    def __init__(self, name="wall"):
        assert name == "wall"
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


def test_time_for_no_step_trains_nothing(tmp_path):
    with pytest.raises(OutOfTimeError, match=r"coarse: .* over before the first step.*--time-limit"):
        train(tmp_path, budget_s=1e-3)
    assert not (tmp_path / "fold_0" / "coarse" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("budget_s", "epochs", "warned"), [(0.2, None, True), (9.0, None, False), (9.0, 1, False)]
)
def test_time_for_few_steps_is_told(tmp_path, monkeypatch, capsys, budget_s, epochs, warned):
    monkeypatch.setattr(loop, "Clock", Ticking)
    train(tmp_path, settings=replace(SETTINGS, epochs=epochs), budget_s=budget_s)
    assert ("steps fitted into" in capsys.readouterr().err) == warned


def test_a_used_up_budget_keeps_the_steps_of_an_earlier_run(tmp_path):
    train(tmp_path)
    _, metadata = train(tmp_path, settings=replace(SETTINGS, epochs=None, resume=True), budget_s=1e-3)
    assert metadata["steps"] == "6"


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


def with_dice(monkeypatch, values):
    """Lets the held-out patches say these Dices of the cartilage, epoch after epoch."""
    given = iter(values)
    monkeypatch.setattr(loop, "watch", lambda *_: (0.5, {"bone": 0.9, "cartilage": next(given)}))


def test_patience_ends_the_training_and_keeps_the_best(tmp_path, monkeypatch, capsys):
    with_dice(monkeypatch, [0.5, 0.6, 0.1, 0.1, 0.1, 0.1])
    settings = replace(SETTINGS, epochs=40, patience=2)
    kept, metadata = train(tmp_path / "a", settings=settings)
    epochs = read_history(tmp_path / "a" / "fold_0" / "coarse")
    assert len(epochs) == 5  # two epochs of patience, one of ramp-down
    assert epochs[-1].learning_rate < epochs[-2].learning_rate / 2
    assert epochs[1].smoothed_dice == pytest.approx(0.53)
    assert metadata["weights"] == "best epoch, 2"
    assert "no better pseudo-Dice of the targets since epoch 2" in capsys.readouterr().out
    with_dice(monkeypatch, [0.5, 0.6])
    again = replace(SETTINGS, epochs=40, patience=2)
    monkeypatch.setattr(loop._Run, "_over", lambda run, step: step >= 6)
    two_epochs, _ = train(tmp_path / "b", settings=again)
    assert same(kept, two_epochs)


def test_stopped_and_continued_with_patience_and_average(tmp_path, monkeypatch):
    settings = replace(SETTINGS, epochs=4, patience=9, ema=True)
    with_dice(monkeypatch, [0.5, 0.6, 0.2, 0.2])
    whole, metadata = train(tmp_path / "whole", settings=settings)
    assert metadata["weights"] == "best epoch, 2"
    draw = loop.draw_progress

    def stop(*_):
        raise KeyboardInterrupt

    with_dice(monkeypatch, [0.5, 0.6, 0.2])
    monkeypatch.setattr(loop, "draw_progress", lambda folder, epochs: stop() if len(epochs) > 2 else None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", settings=settings)
    monkeypatch.setattr(loop, "draw_progress", draw)
    with_dice(monkeypatch, [0.2, 0.2])
    parts, _ = train(tmp_path / "parts", settings=replace(settings, resume=True))
    assert same(whole, parts)


def test_the_average_is_saved_where_it_is_asked_for(tmp_path):
    last, _ = train(tmp_path / "a")
    average, metadata = train(tmp_path / "b", settings=replace(SETTINGS, ema=True))
    assert metadata["weights"] == "moving average"
    assert not same(last, average)


def test_another_round_goes_on_from_given_weights(tmp_path):
    first, _ = train(tmp_path)
    folder = tmp_path / "fold_0" / "coarse"
    start = (folder / "model.safetensors").rename(folder / "best_round.safetensors")
    still = replace(SETTINGS, learning_rate=1e-12)
    second, metadata = train(tmp_path, settings=still, this_round=Round(2, start))
    weights = [name for name in first if name.endswith("weight") and first[name].ndim == 5]
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in weights)
    assert (metadata["round"], metadata["steps"]) == ("2", "12")
    assert [(e.epoch, e.round) for e in read_history(folder)] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_a_round_that_was_interrupted_goes_on(tmp_path, monkeypatch):
    folder = tmp_path / "parts" / "fold_0" / "coarse"
    for name in ("whole", "parts"):
        train(tmp_path / name)
        where = tmp_path / name / "fold_0" / "coarse"
        (where / "model.safetensors").rename(where / "best_round.safetensors")
    second = Round(2, tmp_path / "whole" / "fold_0" / "coarse" / "best_round.safetensors")
    whole, _ = train(tmp_path / "whole", this_round=second)

    def stop(*_):
        raise KeyboardInterrupt

    draw = loop.draw_progress
    monkeypatch.setattr(loop, "draw_progress", lambda folder, epochs: stop() if len(epochs) > 3 else None)
    second = Round(2, folder / "best_round.safetensors")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", this_round=second)
    monkeypatch.setattr(loop, "draw_progress", draw)
    parts, _ = train(tmp_path / "parts", this_round=second)
    assert same(whole, parts)
