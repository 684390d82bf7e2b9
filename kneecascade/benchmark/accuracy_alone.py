"""One stage alone on whole images: the coarse stage's own labels, or the fine stage without a region."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Literal

from kneecascade.allocator import tune_allocator
from kneecascade.benchmark.accuracy_ground import Ground
from kneecascade.console import tracked
from kneecascade.core.settings import DeviceName
from kneecascade.imaging.files import read_volume, write_labels
from kneecascade.inference.folds import weights_file
from kneecascade.inference.region import whole_region
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.device import choose_device
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.transform import fine_image, prepare, restore, restore_coarse


def predict_alone(
    fold: Path, way: Literal["coarse", "whole"], ground: Ground, output: Path, device: DeviceName
) -> dict[str, float]:
    """Predicts the scored cases by one stage; label files that are there already are kept.

    Args:
        fold: with plan.json and the stage's weights.
        way: the coarse stage, or the fine stage on the whole image.
        ground: says which cases.
        output: folder of label files.
        device: where to compute.

    Returns:
        Mean voxels that the stage sees of a case.
    """
    tune_allocator()
    plan, chosen = read_plan(fold / "plan.json"), choose_device(device)
    name: Literal["coarse", "fine"] = "coarse" if way == "coarse" else "fine"
    stage = plan.coarse if name == "coarse" else plan.fine
    network = load_stage(weights_file(fold, name), stage, chosen)
    voxels = 0.0
    for case in tracked(ground.scored, "predicting", len(ground.scored)):
        prepared = prepare(read_volume(case.images), plan, case.name, case.side)
        image = prepared.coarse if way == "coarse" else fine_image(prepared)
        voxels += prod(image.shape[1:]) / len(ground.scored)
        file = output / f"{case.name}{plan.file_ending}"
        if file.is_file():
            continue
        found = predict_stage([network], image, stage, chosen, Limits())
        trace = prepared.trace
        if way == "coarse":
            labels = restore_coarse(found, trace, plan)
        else:
            # the region is everything, so the coarse probabilities decide nothing
            labels = restore(found, found, whole_region(trace), trace, plan)
        write_labels(labels, file)
    return {name: voxels}
