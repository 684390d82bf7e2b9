"""Everything a stage's training works with, set up from plan, cases and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kneecascade.allocator import tune_allocator
from kneecascade.console import say, warn
from kneecascade.core.plan import CascadePlan, StagePlan
from kneecascade.core.settings import Stage, TrainSettings
from kneecascade.errors import TrainingError
from kneecascade.network.build import build_network, total_stride
from kneecascade.network.device import Device, choose_device
from kneecascade.network.fine import FineNet
from kneecascade.network.pretrained import load_medicalnet
from kneecascade.network.warm_start import own_weights_file, start_from
from kneecascade.preprocessing.store import StoredCase
from kneecascade.training.augment import Augmentation, Augmenter
from kneecascade.training.cases import (
    StageCase,
    free_memory_bytes,
    into_memory,
    stage_case,
    stage_plan,
)
from kneecascade.training.heads import label_frequencies, start_heads
from kneecascade.training.heldout import HeldOut, fixed_patches
from kneecascade.training.paint import Painting
from kneecascade.training.patches import PatchSource
from kneecascade.training.sampling import GUESSED, Sampling
from kneecascade.training.schedule import Schedule, make_schedule
from kneecascade.training.step import make_optimizer
from kneecascade.training.synthetic import STRONG, Deformation, SyntheticAugmenter

BATCHES, CHANGES, HELD_OUT, WEIGHTS, FREQUENCIES = range(5)
"""What a seed is for, its third number."""

FINISH_SHARE = 0.04
"""Share of the time budget kept for the last BatchNorm statistics and saving."""


@dataclass(frozen=True)
class Task:
    """One stage of one fold to train.

    Attributes:
        stage: which stage.
        plan: the whole plan.
        settings: of the run.
        folder: fold_N/<stage>, where everything is written.
        budget_s: seconds this stage may take over all its runs, or None.
    """

    stage: Stage
    plan: CascadePlan
    settings: TrainSettings
    folder: Path
    budget_s: float | None = None

    @property
    def stage_plan(self) -> StagePlan:
        """The plan of this stage."""
        return stage_plan(self.plan, self.stage)

    @property
    def batch_size(self) -> int:
        """Patches a step."""
        return self.settings.batch_size or self.stage_plan.batch_size

    def seed(self, purpose: int) -> tuple[int, int, int]:
        """Returns the seed of one kind of randomness of this stage."""
        return (self.settings.seed, ("coarse", "fine").index(self.stage), purpose)

    def schedule(self) -> Schedule:
        """Returns the schedule, which ends a little before the budget."""
        budget = self.budget_s * (1 - FINISH_SHARE) if self.budget_s is not None else None
        return make_schedule(self.settings, budget)


@dataclass(frozen=True, eq=False)
class Bench:
    """What the steps need.

    Attributes:
        device: where and in which precision.
        network: on the device, in train mode.
        optimizer: of its parameters.
        cases: training cases on the stage's grid.
        source: cuts patches from them.
        workers: processes that read; 0 where the data are in memory.
        augmenter: changes patches.
        held_out: fixed patches of held-out cases.
    """

    device: Device
    network: nn.Module
    optimizer: torch.optim.AdamW
    cases: Sequence[StageCase]
    source: PatchSource
    workers: int
    augmenter: Augmenter | SyntheticAugmenter
    held_out: HeldOut


def set_up(
    task: Task,
    training: Sequence[StoredCase],
    held_out: Sequence[StoredCase],
    augmentation: Augmentation,
    sampling: Sampling = GUESSED,
) -> Bench:
    """Builds network and optimizer, reads the cases.

    Raises:
        TrainingError: there is no case to train on.
        SettingsError: there is no such device.
    """
    if not training:
        raise TrainingError(f"{task.folder.parent.name}: no case to train on")
    stage, where = task.stage_plan, training_device(task)
    if where.device.type == "cpu":
        tune_allocator()
    network, known = _network(task, where)
    cases, in_memory = into_memory(
        [stage_case(case, task.stage, task.plan) for case in training], free_memory_bytes() // 2
    )
    _tell(task, where, network, cases, in_memory)
    source = PatchSource(cases, stage.patch_shape_zyx, stage.spacing_mm, sampling)
    if len(known) < task.plan.labels.count:
        frequencies = label_frequencies(source, task.plan.labels.count, task.seed(FREQUENCIES))
        start_heads(network, frequencies, known)
    watched = [stage_case(case, task.stage, task.plan) for case in held_out]
    watched_source = PatchSource(watched, stage.patch_shape_zyx, stage.spacing_mm)
    return Bench(
        device=where,
        network=network,
        optimizer=make_optimizer(network, task.settings.learning_rate, task.settings.weight_decay),
        cases=cases,
        source=source,
        workers=0 if in_memory else max(1, task.settings.workers),
        augmenter=_augmenter(task, augmentation),
        held_out=fixed_patches(watched_source, task.batch_size, task.seed(HELD_OUT)),
    )


def _augmenter(task: Task, strength: Augmentation) -> Augmenter | SyntheticAugmenter:
    stage, mirror = task.stage_plan, task.plan.mirror_axes
    if task.settings.synthetic:
        return _painter(task)
    return Augmenter(strength, stage.patch_shape_zyx, stage.spacing_mm, mirror)


def _painter(task: Task) -> SyntheticAugmenter:
    """Returns what paints: the coarse stage sees whole, cut fields of view, the fine one patches of them."""
    stage, coarse = task.stage_plan, task.stage == "coarse"
    return SyntheticAugmenter(
        strength=STRONG,
        painting=Painting(task.settings.sequences, guessed_share=0.2 if coarse else 0.7),
        patch_shape_zyx=stage.patch_shape_zyx,
        spacing_mm=stage.spacing_mm,
        mirror_axes=task.plan.mirror_axes,
        deformation=Deformation(cut_share=0.5 if coarse else 0.0),
    )


def training_device(task: Task) -> Device:
    """Returns the device, in float32 where bfloat16 would train wrongly.

    oneDNN (seen with torch 2.13) reads uninitialised memory in the bfloat16 weight gradient of
    3x3x3 convolutions on maps of one or two planes.
    """
    where, stage = choose_device(task.settings.device), task.stage_plan
    planes = -(-stage.patch_shape_zyx[0] // total_stride(stage.network)[0])
    if where.device.type == "cpu" and where.autocast is not None and planes <= 2:
        return replace(where, autocast=None, description="CPU, float32 (few planes in the deepest map)")
    return where


def _network(task: Task, where: Device) -> tuple[nn.Module, tuple[int, ...]]:
    """Returns the network as it starts, and the classes that its output layers know already."""
    torch.manual_seed(int(np.random.SeedSequence(task.seed(WEIGHTS)).generate_state(1)[0]))
    network = build_network(task.stage_plan.network)
    known = _fill(network, task)
    network.to(where.device)
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return network.train(), known


def _fill(network: nn.Module, task: Task) -> tuple[int, ...]:
    """Loads --pretrained where there is something for this stage; returns the classes that came along."""
    source = task.settings.pretrained
    if not source:
        return ()
    own = own_weights_file(source, task.stage)
    if own:
        line, known = start_from(network, own, task.plan.labels.names)
        say(f"{task.stage}: {line}")
        return known
    if isinstance(network, FineNet):
        say(f"fine: {load_medicalnet(network.encoder, source)}")
    return ()


def _tell(task: Task, where: Device, network: nn.Module, cases: Sequence[StageCase], in_memory: bool) -> None:
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    shape = "x".join(str(n) for n in task.stage_plan.patch_shape_zyx)
    say(
        f"{task.stage}: {millions:.1f} M parameters, {task.batch_size} patches of {shape} a step, "
        f"{len(cases)} cases {'in memory' if in_memory else 'read from the store'}, {where.description}"
    )
    lost = [case.name for case in cases if case.target_box is None]
    if lost:
        warn(f"{task.stage}: {len(lost)} training cases hold no target, the first is {lost[0]}")
