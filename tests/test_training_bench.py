from dataclasses import replace

import pytest
import torch
from plans import tiny_plan
from prepared import cube_case

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import TrainingError
from kneecascade.network.device import Device
from kneecascade.training import bench
from kneecascade.training.augment import NO_AUGMENTATION
from kneecascade.training.bench import CHANGES, WEIGHTS, Task, set_up, training_device

CPU = TrainSettings(device="cpu")


def task(tmp_path, stage="coarse", settings=CPU, plan=None, budget_s=None):
    return Task(stage, plan or tiny_plan(), settings, tmp_path / "fold_0" / stage, budget_s)


def test_the_seed_decides_the_first_weights(tmp_path):
    cases = [cube_case(1)]
    first, again, other = (
        set_up(task(tmp_path, settings=replace(CPU, seed=seed)), cases, [], NO_AUGMENTATION).network
        for seed in (0, 0, 1)
    )
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not all(torch.equal(a, c) for a, _, c in pairs)


def test_stages_and_purposes_have_their_own_seeds(tmp_path):
    seeds = {task(tmp_path, stage).seed(p) for stage in ("coarse", "fine") for p in (CHANGES, WEIGHTS)}
    assert len(seeds) == 4


def test_the_schedule_ends_inside_the_budget(tmp_path):
    assert task(tmp_path).schedule().budget_s is None
    assert 90 < task(tmp_path, budget_s=100.0).schedule().budget_s < 100


def test_batch_size_of_the_user_counts(tmp_path):
    assert task(tmp_path).batch_size == 2
    assert task(tmp_path, settings=replace(CPU, batch_size=5)).batch_size == 5


def test_no_cases_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="no case"):
        set_up(task(tmp_path), [], [], NO_AUGMENTATION)


def test_few_planes_are_trained_in_float32_on_a_cpu(tmp_path, monkeypatch):
    fast = Device(torch.device("cpu"), torch.bfloat16, "CPU, bfloat16")
    monkeypatch.setattr(bench, "choose_device", lambda name: fast)
    deep = tiny_plan(fine_patch=(16, 16, 16))  # two planes at 1/8
    assert training_device(task(tmp_path, "fine", plan=deep)).autocast is None
    enough = tiny_plan(fine_patch=(24, 16, 16))
    assert training_device(task(tmp_path, "fine", plan=enough)).autocast is torch.bfloat16
