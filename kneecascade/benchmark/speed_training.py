"""Training steps of one stage under the stopwatch, at a given patch and batch."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kneecascade.core.settings import TrainSettings
from kneecascade.files import write_json
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.store import StoredCase, open_case
from kneecascade.training.augment import Augmentation
from kneecascade.training.bench import BATCHES, CHANGES, Task, set_up
from kneecascade.training.feed import Feed
from kneecascade.training.step import Stepper


def main() -> None:
    """Reads the arguments, times, writes JSON: seconds of waiting, steps, and of the data alone."""
    parser = argparse.ArgumentParser()
    for name in ("out", "preprocessed", "work"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--stage", choices=("coarse", "fine"), default="fine")
    parser.add_argument("--patch", type=int, nargs=3, required=True)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int)
    found = parser.parse_args()
    plan = read_plan(found.preprocessed / "plan.json")
    sized = replace(getattr(plan, found.stage), patch_shape_zyx=tuple(found.patch), batch_size=found.batch)
    plan = replace(plan, **{found.stage: sized})
    store = found.preprocessed / "store"
    cases = [open_case(store, p.name) for p in sorted(store.iterdir()) if p.is_dir()]
    settings = TrainSettings(device=found.device, batch_size=found.batch)
    task = Task(found.stage, plan, settings, found.work)
    times = time_training(task, cases, found.steps, found.batches, found.workers)
    write_json(found.out, {"patch": found.patch, "batch": found.batch, **times})


def time_training(
    task: Task, cases: Sequence[StoredCase], steps: int, batches: int, workers: int | None = None
) -> dict[str, object]:
    """Returns "wait_s" and "step_s" (augmentation on the device and update) of each step, "data_alone_s".

    Args:
        task: stage, patch, batch and device.
        cases: to train on.
        steps: timed steps.
        batches: timed batches without steps, augmented.
        workers: processes that cut patches; None for as many as a training uses here.
    """
    bench = set_up(task, cases, cases[:1], Augmentation())
    stepper = Stepper(bench.network, bench.optimizer, bench.device)
    wait_s, step_s, alone_s = [], [], []
    readers = bench.workers if workers is None else workers
    reads = (task.batch_size, task.seed(BATCHES), 0, readers, bench.device.device)
    with Feed(bench.source, *reads) as feed:
        for k in range(steps):
            start = time.perf_counter()
            image, labels = feed.next()
            arrived = time.perf_counter()
            image, labels = bench.augmenter(image, labels, (*task.seed(CHANGES), k))
            stepper(image, labels, 1e-3)
            wait_s.append(arrived - start)
            step_s.append(time.perf_counter() - arrived)
        for k in range(batches):
            start = time.perf_counter()
            image, labels = feed.next()
            image, labels = bench.augmenter(image, labels, (*task.seed(CHANGES), steps + k))
            labels.flatten()[0].item()  # a GPU is done only when asked for a value
            alone_s.append(time.perf_counter() - start)
    return {"wait_s": wait_s, "step_s": step_s, "data_alone_s": alone_s}
