"""Training steps of one stage under the stopwatch, at a given patch and batch."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from kneecascade.core.settings import DeviceName, Stage, TrainSettings
from kneecascade.files import write_json
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.store import open_case
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
    found = parser.parse_args()
    write_json(
        found.out,
        time_training(
            found.preprocessed,
            found.work,
            found.stage,
            tuple(found.patch),
            found.batch,
            found.steps,
            found.batches,
            found.device,
        ),
    )


def time_training(
    preprocessed: Path,
    work: Path,
    stage: Stage,
    patch_zyx: tuple[int, int, int],
    batch: int,
    steps: int,
    batches: int,
    device: DeviceName = "auto",
) -> dict[str, object]:
    """Returns "wait_s" and "step_s" (augmentation on the device and update) of each step, and "data_alone_s".

    Args:
        preprocessed: folder with plan.json and the store.
        work: folder for what training writes.
        stage: whose network is trained.
        patch_zyx: instead of the plan's.
        batch: patches a step.
        steps: timed steps.
        batches: timed batches without steps, augmented.
        device: where to train.
    """
    plan = read_plan(preprocessed / "plan.json")
    sized = replace(getattr(plan, stage), patch_shape_zyx=patch_zyx, batch_size=batch)
    plan = replace(plan, coarse=sized) if stage == "coarse" else replace(plan, fine=sized)
    store = preprocessed / "store"
    cases = [open_case(store, p.name) for p in sorted(store.iterdir()) if p.is_dir()]
    task = Task(stage, plan, TrainSettings(device=device, batch_size=batch), work)
    bench = set_up(task, cases, cases[:1], Augmentation())
    stepper = Stepper(bench.network, bench.optimizer, bench.device)
    wait_s, step_s, alone_s = [], [], []
    with Feed(bench.source, batch, task.seed(BATCHES), 0, bench.workers, bench.device.device) as feed:
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
    return {"patch": patch_zyx, "batch": batch, "wait_s": wait_s, "step_s": step_s, "data_alone_s": alone_s}
