"""What the fine stage of a fold says of prepared held-out cases, one case at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kneecascade.allocator import tune_allocator
from kneecascade.console import tracked
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import DeviceName
from kneecascade.imaging.components import at_least
from kneecascade.inference.folds import weights_file
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.device import choose_device
from kneecascade.pipeline.margin import case_region
from kneecascade.preprocessing.store import StoredCase

MOST_CASES = 40


@dataclass(frozen=True, eq=False)
class HeldOutAnswer:
    """One case.

    Attributes:
        case: from the store.
        subject: whose case it is.
        box: its region on the fine grid.
        probabilities: float32 (K, z, y, x) of the fine stage there.
        reference: class indices (z, y, x) there.
    """

    case: StoredCase
    subject: str
    box: Box
    probabilities: np.ndarray
    reference: np.ndarray


def held_out_answers(
    fold_folder: Path,
    plan: CascadePlan,
    errors: CoarseErrors,
    cases: Sequence[StoredCase],
    device: DeviceName,
    what: str,
) -> Iterator[HeldOutAnswer]:
    """Yields the fine stage's answers on the regions that the coarse stage found, under a progress bar.

    Args:
        fold_folder: results/Dataset001_Name/fold_0, both stages trained.
        plan: of the fold, with its own margin.
        errors: of its coarse stage: the regions of the cases, and whose they are.
        cases: held-out cases from the store; at most 40, evenly taken, are looked at.
        device: where to compute.
        what: is done, for the bar.

    Raises:
        CheckpointError: the weights are missing or broken.
    """
    tune_allocator()
    by_name = {case.name: case for case in errors.cases}
    looked_at = [case for case in cases if case.name in by_name][:: -(-len(cases) // MOST_CASES) or 1]
    where = choose_device(device)
    network = load_stage(weights_file(fold_folder, "fine"), plan.fine, where)
    for case in tracked(looked_at, what, len(looked_at)):
        known = by_name[case.name]
        box = case_region(known, plan.region.margin_mm, case.trace)
        seen = at_least(box, plan.fine.patch_shape_zyx, case.trace.fine_shape_zyx)
        image = np.asarray(case.image[(slice(None), *seen.slices)], dtype=np.float32)
        found = predict_stage([network], image, plan.fine, where, Limits())
        inside = found[(slice(None), *_inside(box, seen))]
        yield HeldOutAnswer(case, known.subject, box, inside, np.asarray(case.label[box.slices]))


def _inside(box: Box, seen: Box) -> tuple[slice, ...]:
    corners = zip(box.start_zyx, seen.start_zyx, box.shape_zyx, strict=True)
    return tuple(slice(a - low, a - low + n) for a, low, n in corners)
