import torch
from plans import tiny_plan
from prepared import cube_case

from kneecascade.core.settings import TrainSettings
from kneecascade.network.checkpoint import load_weights
from kneecascade.training.augment import NO_AUGMENTATION
from kneecascade.training.batchnorm import norms
from kneecascade.training.bench import Task, set_up
from kneecascade.training.finish import FEWEST_REGIONS, save_final
from kneecascade.training.position import Position

CASES = tuple(cube_case(k) for k in range(6))


def bench_and_task(tmp_path, budget_s):
    task = Task("coarse", tiny_plan(), TrainSettings(device="cpu"), tmp_path / "fold_0" / "coarse", budget_s)
    return task, set_up(task, CASES, [], NO_AUGMENTATION)


def test_statistics_are_those_of_whole_regions(tmp_path):
    task, bench = bench_and_task(tmp_path, None)
    assert save_final(task, bench, Position(step=7), "last step", lambda: 3.0) == len(CASES)
    state, metadata = load_weights(task.folder / "model.safetensors")
    assert metadata["steps"] == "7"
    assert metadata["seconds"] == "3.0"
    assert (metadata["round"], metadata["weights"]) == ("1", "last step")
    assert not bench.network.training
    layer = norms(bench.network)[0]
    name = next(k for k in state if torch.equal(state[k], layer.running_mean))
    assert name.endswith("running_mean")
    assert layer.running_mean.abs().sum() > 0


def test_late_means_few_regions(tmp_path):
    task, bench = bench_and_task(tmp_path, 10.0)
    assert save_final(task, bench, Position(step=7), "last step", lambda: 11.0) == FEWEST_REGIONS
