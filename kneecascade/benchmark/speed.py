"""kneecascade and nnU-Net v2 on the same made-up knees, interleaved in one run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.benchmark.speed_install import peer_python
from kneecascade.benchmark.speed_nnunet import NNUNet
from kneecascade.benchmark.speed_ours import Ours
from kneecascade.benchmark.speed_phantoms import (
    finer,
    first_case,
    make_dataset,
    part_of_dataset,
    resized,
)
from kneecascade.benchmark.speed_settings import Setting, at_spacing_of, make_setting, with_pieces
from kneecascade.console import progress_bar, say
from kneecascade.core.geometry import Int3
from kneecascade.planning.plan_file import read_plan
from kneecascade.planning.processes import default_workers

MANY, FEW, PIECES = "Dataset101_Knees", "Dataset102_Few", "Dataset103_Pieces"
SLICES, EDGE = 160, 384
EDGES = (288, 384, 480)
"""Slices of these many voxels a side: .56, 1 and 1.56 times the voxels, around the same knee."""
LABEL_PIECES = 2
LARGE: Int3 = (320, 512, 512)

Record = dict[str, Any]


@dataclass(frozen=True)
class SpeedSettings:
    """One run of kc_benchmark speed.

    Attributes:
        quick: fewer repeats, tiles and steps: to see that it works, not to quote.
        skip_peer: measure kneecascade alone.
        peer: interpreter of an environment with nnU-Net v2; None to make one.
        device: "auto", "cpu" or "cuda".
    """

    quick: bool = False
    skip_peer: bool = False
    peer: Path | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Counts:
    """How often things are done; see `QUICK` and `FULL`.

    Attributes:
        cases: of the larger data set.
        few: of the smaller data set.
        prepare_rounds: times the smaller data set is prepared.
        rounds: times a knee is predicted, each way.
        tiles: of nnU-Net's that are done, an image.
        images: predicted by one process for the warm time.
        folds: of the default ensemble.
        steps: training steps.
        batches: batches without steps.
        patch: of the training steps, (z, y, x) as nnU-Net plans them.
    """

    cases: int
    few: int
    prepare_rounds: int
    rounds: int
    tiles: int
    images: int
    folds: int
    steps: int
    batches: int
    patch: Int3
    batch: int = 2


FULL = Counts(4, 2, 2, 3, 3, 4, 5, 4, 8, (64, 128, 128))
QUICK = Counts(3, 2, 1, 1, 1, 2, 2, 2, 2, (32, 64, 64))


MORE_WORKERS = 4
"""Processes that make training data, in a second measurement of a training."""


@dataclass(frozen=True)
class Task:
    """One thing to measure, `rounds` times: `work` returns what it found."""

    name: str
    rounds: int
    work: Callable[[], Record]


class Speed:
    """The measurements of one run.

    Args:
        folder: of data, environments and logs; what can be is kept for the next run.
        settings: of the run.

    Attributes:
        found: a list of records by name of the task.
    """

    def __init__(self, folder: Path, settings: SpeedSettings) -> None:
        self.folder, self.settings = folder, settings
        self.counts = QUICK if settings.quick else FULL
        self.workers = default_workers()
        self.found: dict[str, list[Record]] = {}
        self.ours = Ours(folder, self.workers, settings.device)
        self.peer = None if settings.skip_peer else self._find_peer()

    def run(self) -> Record:
        """Measures everything; returns what is written to speed.json."""
        raw, counts = self.folder / "raw", self.counts
        make_dataset(raw / MANY, counts.cases, self.workers)
        part_of_dataset(raw / MANY, raw / FEW, counts.few)
        self._interleave("preparing", self._preparing())
        self._interleave("predicting", self._predicting(self._settings()))
        self._interleave("training", self._training())
        shapes: list[Int3] = [(SLICES, edge, edge) for edge in EDGES]
        tiles = self.peer.tiles(MANY, shapes) if self.peer else {}
        return {"about": self._about(), "tiles": list(tiles.values()), "runs": self.found}

    def _find_peer(self) -> NNUNet:
        python = self.settings.peer or peer_python(self.folder / "nnunet_environment")
        peer = NNUNet(python, self.folder, self.workers, "cpu")
        if self.settings.device != "cpu" and peer.about()["cuda"]:
            return replace(peer, device="cuda")
        return peer

    def _about(self) -> Record:
        return {
            "kneecascade": kneecascade.__version__,
            "torch": version("torch"),
            "python": platform.python_version(),
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "workers": self.workers,
            "device": self.settings.device,
            "quick": self.settings.quick,
            "nnunet": self.peer.about() if self.peer else None,
            "folds": self.counts.folds,
            "images": self.counts.images,
            "cases": [self.counts.few, self.counts.cases],
            "edges": EDGES,
            "large": LARGE,
        }

    def _preparing(self) -> list[Task]:
        tasks, peer, rounds = [], self.peer, self.counts.prepare_rounds
        for name, dataset, times in (("few", FEW, rounds), ("many", MANY, 1)):
            tasks.append(Task(f"ours prepare {name}", times, partial(self.ours.prepare, dataset)))
            if peer:
                tasks.append(Task(f"peer prepare {name}", times, partial(peer.prepare, dataset)))
        return tasks

    def _settings(self) -> dict[str, Setting]:
        """Writes images, models and answers: the knee, in smaller and larger images, with more labels."""
        plan = read_plan(self.ours.preprocessed(MANY) / "plan.json")
        image, labels = first_case(self.folder / "raw" / MANY)
        root, counts = self.folder / "settings", self.counts
        made = {"knee": make_setting(root / "knee", plan, (image, labels), counts.folds, counts.images)}
        for edge in EDGES:
            if edge != EDGE:
                knee = resized(image, labels, edge)
                made[f"edge {edge}"] = make_setting(root / f"edge_{edge}", plan, knee)
        more, cut = with_pieces(plan, labels, LABEL_PIECES)
        made["labels"] = make_setting(root / "labels", more, (image, cut))
        large = finer(image, cut, LARGE)
        made["large"] = make_setting(root / "large", at_spacing_of(more, large[0].geometry), large)
        if self.peer:
            self.peer.make_model(MANY)
            self.peer.make_model_with_pieces(MANY, PIECES, LABEL_PIECES)
        return made

    def _predicting(self, settings: dict[str, Setting]) -> list[Task]:
        ours, peer, counts, knee = self.ours, self.peer, self.counts, settings["knee"]
        rounds, others = counts.rounds, max(1, counts.rounds - 1)
        tasks = [Task("ours cold", rounds, partial(ours.predict, knee))]
        if peer:
            tasks.append(Task("peer cold", rounds, partial(peer.predict, MANY, knee, counts.tiles)))
        tasks += [
            Task("ours warm", rounds, partial(ours.predict, knee, images=counts.images)),
            Task("ours folds", rounds, partial(ours.predict, knee, folds=counts.folds)),
            Task("ours plain", others, partial(ours.predict, knee, plain=True)),
        ]
        for name, setting in settings.items():
            if name != "knee":
                tasks.append(Task(f"ours {name}", others, partial(ours.predict, setting)))
        if peer:
            tasks.append(Task("peer labels", 1, partial(peer.predict, PIECES, settings["labels"], 1)))
        return tasks

    def _training(self) -> list[Task]:
        c, peer = self.counts, self.peer
        sizes = (c.patch, c.batch, c.steps, c.batches)
        # nnU-Net cuts the same patch from slices first, kneecascade from the head down
        across = (c.patch[1], c.patch[2], c.patch[0])
        tasks = [Task("ours train", 1, partial(self.ours.train, MANY, across, *sizes[1:]))]
        more = partial(self.ours.train, MANY, across, *sizes[1:], workers=MORE_WORKERS)
        tasks.append(Task("ours train more", 1, more))
        if peer:
            many = replace(peer, workers=MORE_WORKERS)
            tasks.append(Task("peer train", 1, partial(peer.train, MANY, *sizes)))
            tasks.append(Task("peer train more", 1, partial(many.train, MANY, *sizes)))
        return tasks

    def _interleave(self, what: str, tasks: list[Task]) -> None:
        """Does every task once, then every task that has a second round, and so on."""
        with progress_bar() as display:
            bar = display.add_task(what, total=sum(task.rounds for task in tasks), note="")
            for turn in range(max(task.rounds for task in tasks)):
                for task in tasks:
                    if turn < task.rounds:
                        display.update(bar, note=task.name)
                        record = task.work()
                        self.found.setdefault(task.name, []).append(record)
                        display.advance(bar)
                        if display.disable:
                            say(f"{task.name}: {record.get('seconds', 0):.1f} s")
