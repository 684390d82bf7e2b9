"""Moves the fine stage's output so that the targets' mean volume on held-out cases is right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kneecascade.allocator import tune_allocator
from kneecascade.console import say, tracked
from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors
from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import DeviceName
from kneecascade.evaluation.volume_offsets import Tally, VolumeOffset, choose_offset, tally
from kneecascade.imaging.components import at_least
from kneecascade.inference.folds import weights_file
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.checkpoint import load_metadata, load_weights, save_weights
from kneecascade.network.device import choose_device
from kneecascade.pipeline.margin import case_region
from kneecascade.preprocessing.store import StoredCase

OFFSETS = "volume_offsets"
"""The word in the metadata of model.safetensors."""
OUTPUT_BIAS = "heads.0.bias"
MOST_CASES = 40


def calibrate_volumes(
    fold_folder: Path,
    plan: CascadePlan,
    errors: CoarseErrors,
    cases: Sequence[StoredCase],
    device: DeviceName,
) -> None:
    """Chooses an offset for each target on prepared held-out cases and adds it to the output's bias.

    The weights file is written anew, with the offsets in its metadata; one that has them is left as it is.
    At most 40 cases, evenly taken, are looked at.

    Args:
        fold_folder: results/Dataset001_Name/fold_0, both stages trained.
        plan: of the fold, with its own margin.
        errors: of its coarse stage: the regions of the cases, and whose they are.
        cases: held-out cases from the store.
        device: where to compute.

    Raises:
        CheckpointError: the weights are missing or broken.
    """
    path = weights_file(fold_folder, "fine")
    if OFFSETS in load_metadata(path):
        return
    tune_allocator()
    by_name = {case.name: case for case in errors.cases}
    looked_at = [case for case in cases if case.name in by_name][:: -(-len(cases) // MOST_CASES) or 1]
    tallies = _tallies(path, plan, looked_at, by_name, device)
    chosen = [choose_offset(name, tallies[name]) for name in plan.targets if tallies[name]]
    _write(path, plan, chosen)
    _tell(chosen)


def calibrated(path: Path) -> tuple[str, ...]:
    """Returns the labels whose output was moved, none where the weights are not there or as trained."""
    text = load_metadata(path).get(OFFSETS, "[]") if path.is_file() else "[]"
    return tuple(chosen["label"] for chosen in json.loads(text) if chosen["offset"])


def _tallies(
    path: Path,
    plan: CascadePlan,
    cases: Sequence[StoredCase],
    errors: Mapping[str, CaseErrors],
    device: DeviceName,
) -> dict[str, list[Tally]]:
    where = choose_device(device)
    network = load_stage(path, plan.fine, where)
    found: dict[str, list[Tally]] = {name: [] for name in plan.targets}
    for case in tracked(cases, "measuring volumes", len(cases)):
        shape = case.trace.fine_shape_zyx
        box = case_region(errors[case.name], plan.region.margin_mm, case.trace)
        seen = at_least(box, plan.fine.patch_shape_zyx, shape)
        image = np.asarray(case.image[(slice(None), *seen.slices)], dtype=np.float32)
        probabilities = predict_stage([network], image, plan.fine, where, Limits())
        probabilities = probabilities[(slice(None), *_inside(box, seen))]
        reference = np.asarray(case.label[box.slices])
        for name, index in zip(plan.targets, plan.labels.indices(plan.targets), strict=True):
            counted = tally(probabilities, reference, index, errors[case.name].subject)
            found[name] += [counted] if counted else []
    return found


def _inside(box: Box, seen: Box) -> tuple[slice, ...]:
    corners = zip(box.start_zyx, seen.start_zyx, box.shape_zyx, strict=True)
    return tuple(slice(a - low, a - low + n) for a, low, n in corners)


def _write(path: Path, plan: CascadePlan, chosen: Sequence[VolumeOffset]) -> None:
    state, metadata = load_weights(path)
    for each in chosen:
        state[OUTPUT_BIAS][plan.labels.names.index(each.label)] += each.offset
    save_weights(path, state, {**metadata, OFFSETS: json.dumps(to_plain(list(chosen)))})


def _tell(chosen: Sequence[VolumeOffset]) -> None:
    moved = [
        f"{each.label} {100 * (each.ratio_before - 1):+.1f} % (moved by {each.offset:+.2f}: "
        f"{100 * (each.ratio_after - 1):+.1f} %)"
        if each.offset
        else f"{each.label} {100 * (each.ratio_before - 1):+.1f} % (left as it is)"
        for each in chosen
    ]
    say("mean volume of held-out cases against their reference: " + ", ".join(moved))
