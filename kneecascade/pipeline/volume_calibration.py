"""Moves the fine stage's output so that the targets' mean volume on held-out cases is right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from kneecascade.console import say
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import DeviceName
from kneecascade.evaluation.volume_offsets import Tally, VolumeOffset, choose_offset, tally
from kneecascade.inference.folds import weights_file
from kneecascade.network.checkpoint import load_metadata, load_weights, save_weights
from kneecascade.pipeline.held_out import held_out_answers
from kneecascade.preprocessing.store import StoredCase

OFFSETS = "volume_offsets"
"""The word in the metadata of model.safetensors."""
OUTPUT_BIAS = "heads.0.bias"


def calibrate_volumes(
    fold_folder: Path,
    plan: CascadePlan,
    errors: CoarseErrors,
    cases: Sequence[StoredCase],
    device: DeviceName,
) -> None:
    """Chooses an offset for each target on prepared held-out cases and adds it to the output's bias.

    The weights file is written anew, with the offsets in its metadata; one that has them is left as it is.
    Arguments and errors as in `held_out.held_out_answers`.
    """
    path = weights_file(fold_folder, "fine")
    if OFFSETS in load_metadata(path):
        return
    tallies: dict[str, list[Tally]] = {name: [] for name in plan.targets}
    for answer in held_out_answers(fold_folder, plan, errors, cases, device, "measuring volumes"):
        for name, index in zip(plan.targets, plan.labels.indices(plan.targets), strict=True):
            counted = tally(answer.probabilities, answer.reference, index, answer.subject)
            tallies[name] += [counted] if counted else []
    chosen = [choose_offset(name, tallies[name]) for name in plan.targets if tallies[name]]
    _write(path, plan, chosen)
    _tell(chosen)


def calibrated(path: Path) -> tuple[str, ...]:
    """Returns the labels whose output was moved, none where the weights are not there or as trained."""
    text = load_metadata(path).get(OFFSETS, "[]") if path.is_file() else "[]"
    return tuple(chosen["label"] for chosen in json.loads(text) if chosen["offset"])


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
