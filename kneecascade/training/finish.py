"""The end of a stage's training: BatchNorm on whole regions, weights with their plan."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import torch

import kneecascade
from kneecascade.core.record import to_plain
from kneecascade.network.checkpoint import save_weights
from kneecascade.training.batchnorm import reestimate
from kneecascade.training.bench import CHANGES, Bench, Task
from kneecascade.training.position import Position
from kneecascade.training.regions import whole_regions
from kneecascade.training.step import precision
from kneecascade.training.synthetic import SyntheticAugmenter

WEIGHTS_FILE = "model.safetensors"
FEWEST_REGIONS = 4
REGION_PATCHES = 4
"""A region may hold this many times the voxels of a step; without gradients they take less memory."""


def save_final(
    task: Task, bench: Bench, position: Position, weights: str, elapsed_s: Callable[[], float]
) -> int:
    """Re-estimates BatchNorm on whole training regions and writes model.safetensors.

    Args:
        task: what was trained.
        bench: with the weights to save; its network is left in eval mode.
        position: where the training ended, for the metadata.
        weights: which weights these are, in words, for the metadata.
        elapsed_s: tells the seconds so far, over all rounds; where the round's budget is used up four
            regions are enough.

    Returns:
        The number of regions used.
    """
    with torch.no_grad(), precision(bench.device):
        used = reestimate(bench.network, _regions(task, bench, lambda: elapsed_s() - position.first_s))
    metadata = {
        "version": kneecascade.__version__,
        "stage": task.stage,
        "plan": json.dumps(to_plain(task.plan)),
        "settings": json.dumps(to_plain(task.settings)),
        "data_hash": task.plan.data_hash,
        "steps": str(position.step),
        "round": str(position.round),
        "weights": weights,
        "seconds": f"{elapsed_s():.1f}",
        "training_cases": json.dumps([case.name for case in bench.cases]),
    }
    save_weights(task.folder / WEIGHTS_FILE, bench.network, metadata)
    return used


def _regions(task: Task, bench: Bench, elapsed_s: Callable[[], float]) -> Iterator[torch.Tensor]:
    plan, stage = task.plan, task.stage_plan
    z, y, x = stage.patch_shape_zyx
    limit = REGION_PATCHES * task.batch_size * z * y * x
    regions = whole_regions(bench.cases, task.stage, plan.region.margin_mm, stage.spacing_mm, limit)
    for count, region in zip(itertools.count(), regions):
        late = task.budget_s is not None and elapsed_s() > task.budget_s
        if late and count >= FEWEST_REGIONS:
            return
        region = region.to(bench.device.device)
        if isinstance(bench.augmenter, SyntheticAugmenter):
            region = bench.augmenter.paint_whole(region, (*task.seed(CHANGES), count))
        yield region.contiguous(memory_format=torch.channels_last_3d)
