"""Variants of the cascade, and nnU-Net v2, trained for the same time and scored on the same cases."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.benchmark.accuracy_ground import Ground, Scored, read_ground
from kneecascade.benchmark.accuracy_nnunet import PeerRun
from kneecascade.benchmark.accuracy_ours import Budget, OurRun
from kneecascade.benchmark.accuracy_report import report
from kneecascade.benchmark.accuracy_variants import PEER, Variant, planned
from kneecascade.benchmark.speed_install import peer_python
from kneecascade.console import say, warn
from kneecascade.core.record import to_plain
from kneecascade.core.settings import ClockName, DeviceName
from kneecascade.errors import CheckpointError, KneecascadeError, SettingsError
from kneecascade.files import read_json, write_json
from kneecascade.planning.plan_file import plan_hash
from kneecascade.planning.processes import default_workers
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.workspace import Workspace

Record = dict[str, Any]


@dataclass(frozen=True)
class AccuracySettings:
    """One run of kc_benchmark accuracy.

    Attributes:
        dataset: "1", "001" or "Dataset001_Name", planned and prepared.
        variants: the first is what the others are compared with.
        budgets_s: seconds of training, smallest first.
        seeds: of each; scores are means over them.
        clock: what the budget counts.
        scored: the test set, or the held-out cases of fold 0, to choose by.
        coarse: folder of a trained fold whose coarse stage all share; the budget is the fine stage's then.
        peer: whether to train nnU-Net v2 as well.
        peer_python: interpreter of an environment with it; None to make one.
        device: where to compute.
        tta: whether both tools average over mirrorings.
        command: as typed, for the records.
    """

    dataset: str
    variants: tuple[Variant, ...]
    budgets_s: tuple[float, ...]
    seeds: tuple[int, ...] = (0,)
    clock: ClockName = "wall"
    scored: Scored = "test"
    coarse: Path | None = None
    peer: bool = False
    peer_python: Path | None = None
    device: DeviceName = "auto"
    tta: bool = False
    command: str = ""


@dataclass(frozen=True)
class Task:
    """One run to do: a variant, or nnU-Net where it is None, with its budget."""

    variant: Variant | None
    budget: Budget

    @property
    def name(self) -> str:
        """What its files are called: budget, variant, seed."""
        who = self.variant.name if self.variant else PEER
        return f"{self.budget.seconds:g}s_{who}_seed{self.budget.seed}"


def benchmark_accuracy(
    workspace: Workspace, output: Path, settings: AccuracySettings, page: Path | None = None
) -> None:
    """Does every run that is not done yet, then shows and writes the tables and the picture.

    A run that fails is told and left out; the others go on.

    Args:
        workspace: where the data set lies.
        output: folder; runs/NAME.json a run, work/NAME its models and predictions.
        settings: of the benchmark.
        page: a page whose marked section is replaced, see `accuracy_report.report`.

    Raises:
        KneecascadeError: the data set is not ready, a variant does not fit it, the given coarse stage is not
            trained, or runs of the folder were made otherwise.
    """
    output = output.absolute()
    if settings.coarse and not (settings.coarse / "coarse" / WEIGHTS_FILE).is_file():
        raise CheckpointError(
            f"--coarse {settings.coarse}: holds no coarse/{WEIGHTS_FILE}; give the folder of a trained fold, "
            "such as results/Dataset001_Name/fold_0"
        )
    ground = read_ground(workspace, settings.dataset, settings.scored)
    for variant in settings.variants:
        ground.check_plan(planned(variant, ground.plan))
    images = ground.gather_images(output / "images" / settings.scored)
    python = _peer_python(settings, output)
    failed = []
    for task in _tasks(settings):
        try:
            _do(task, output, settings, ground, images, PeerFolders(workspace, python))
        except KneecascadeError as error:
            warn(f"{task.name}: {error}")
            failed.append(task.name)
    if any((output / "runs").glob("*.json")):
        report(output, page)
    if failed:
        raise KneecascadeError(f"{len(failed)} runs failed, the first is {failed[0]}; see above")


@dataclass(frozen=True)
class PeerFolders:
    """Where nnU-Net's interpreter and the raw data lie."""

    workspace: Workspace
    python: Path | None


def _tasks(settings: AccuracySettings) -> Iterator[Task]:
    for seconds in sorted(settings.budgets_s):
        for seed in settings.seeds:
            coarse = settings.coarse.absolute() if settings.coarse else None
            budget = Budget(seconds, settings.clock, seed, settings.device, coarse, settings.tta)
            yield from (Task(variant, budget) for variant in settings.variants)
            if settings.peer:
                yield Task(None, budget)


def _do(
    task: Task, output: Path, settings: AccuracySettings, ground: Ground, images: Path, peer: PeerFolders
) -> None:
    file, folder = output / "runs" / f"{task.name}.json", output / "work" / task.name
    head = _head(task, settings, ground)
    if file.is_file():
        _check_same(read_json(file), head, file)
        return say(f"{task.name}: done already")
    say(f"{task.name}: training")
    run = _run_of(task, folder, ground, output, peer)
    load, begun, computed = os.getloadavg(), time.perf_counter(), _computed_s()
    training = {**run.train(), "load_before": load[0], "load_after": os.getloadavg()[0]}
    training |= {"this_process_s": time.perf_counter() - begun, "computed_s": _computed_s() - computed}
    prediction = run.predict(images)
    cases = ground.score(folder / "predictions")
    subjects = {name: ground.subjects[name] for name in cases if name in ground.subjects}
    record = {**head, "training": training, "prediction": prediction, "subjects": subjects, "cases": cases}
    write_json(file, record)


def _run_of(task: Task, folder: Path, ground: Ground, output: Path, peer: PeerFolders) -> OurRun | PeerRun:
    if task.variant is not None:
        return OurRun(folder, ground, task.variant, planned(task.variant, ground.plan), task.budget)
    assert peer.python is not None
    return PeerRun(folder, ground, peer.python, peer.workspace.raw, output / "nnunet", task.budget)


def _head(task: Task, settings: AccuracySettings, ground: Ground) -> Record:
    variant = task.variant
    plan = planned(variant, ground.plan) if variant else ground.plan
    return {
        "tool": "kneecascade" if variant else PEER,
        "variant": variant.name if variant else PEER,
        "words": variant.words if variant else "nnU-Net v2, its own plan and trainer, 3d_fullres",
        "first": variant is settings.variants[0],
        "way": variant.way if variant else PEER,
        "train": dict(variant.train) if variant else {},
        "dataset": ground.raw.name,
        "data_hash": plan.data_hash,
        "plan_hash": plan_hash(plan),
        "labels": ground.raw.labels.foreground,
        "targets": plan.targets,
        "scored": settings.scored,
        **{key: to_plain(value) for key, value in vars(task.budget).items() if key != "coarse"},
        "coarse": str(task.budget.coarse.name) if task.budget.coarse else None,
        "training_cases": len(ground.fold.training),
        "command": settings.command,
        "kneecascade": kneecascade.__version__,
        "processors": os.cpu_count(),
        "workers": default_workers(),
    }


def _check_same(before: Record, head: Record, file: Path) -> None:
    for key in ("data_hash", "plan_hash", "train", "scored", "clock", "tta"):
        if before.get(key) != to_plain(head[key]):
            raise SettingsError(f"{file}: was made with another {key}; choose another folder with -o")


def _computed_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peer_python(settings: AccuracySettings, output: Path) -> Path | None:
    if not settings.peer:
        return None
    if settings.peer_python and shutil.which(str(settings.peer_python)) is None:
        raise SettingsError(f"--peer-python {settings.peer_python}: no such program")
    return settings.peer_python or peer_python(output / "nnunet_environment")
