"""Sends the held-out cases of a fold through its coarse stage once and measures where it errs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kneecascade.allocator import tune_allocator
from kneecascade.console import tracked
from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors, Piece
from kneecascade.core.geometry import Float3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.core.settings import DeviceName
from kneecascade.core.trace import Region
from kneecascade.errors import InputError
from kneecascade.files import read_json, write_json
from kneecascade.imaging.components import Component, large_components, scale_box, voxel_mm3
from kneecascade.inference.folds import weights_file
from kneecascade.inference.region import find_region
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.device import choose_device
from kneecascade.pipeline.margin import allowance_mm, calibrated_margin
from kneecascade.preprocessing.store import StoredCase, read_whole

ERRORS = "errors.json"


def measure_coarse_errors(
    fold_folder: Path,
    plan: CascadePlan,
    cases: Sequence[StoredCase],
    subjects: Mapping[str, str] | None,
    device: DeviceName,
) -> CoarseErrors:
    """Measures the coarse stage on prepared cases it was not trained on, and chooses the margin by them.

    Writes fold_N/coarse/errors.json.

    Args:
        fold_folder: results/Dataset001_Name/fold_0, its coarse stage trained.
        plan: with the margin as planned.
        cases: held-out cases from the store.
        subjects: subject of each case; None where every case is its own.
        device: where to compute.

    Raises:
        CheckpointError: the coarse stage is not trained.
    """
    start = time.monotonic()
    tune_allocator()
    chosen = choose_device(device)
    network = load_stage(weights_file(fold_folder, "coarse"), plan.coarse, chosen)
    found = []
    for case in tracked(cases, "measuring the coarse stage", len(cases)):
        image = read_whole(case.coarse_image, case.name).astype(np.float32)
        probabilities = predict_stage([network], image, plan.coarse, chosen, Limits())
        subject = subjects[case.name] if subjects else case.name
        found.append(case_errors(case, subject, probabilities, plan))
    margin_mm = calibrated_margin(found, plan.region.margin_mm, allowance_mm(plan))
    seconds = round(time.monotonic() - start, 2)
    errors = CoarseErrors(plan.region.margin_mm, margin_mm, seconds, tuple(found))
    write_json(errors_file(fold_folder), to_plain(errors))
    return errors


def errors_file(fold_folder: Path) -> Path:
    """Returns where the errors of a fold's coarse stage lie."""
    return fold_folder / "coarse" / ERRORS


def read_coarse_errors(fold_folder: Path) -> CoarseErrors | None:
    """Reads errors.json; None where there is none.

    Raises:
        InputError: it is broken.
    """
    path = errors_file(fold_folder)
    if not path.is_file():
        return None
    try:
        return from_plain(CoarseErrors, read_json(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}; delete it, and kc_train --continue measures anew") from error


def case_errors(
    case: StoredCase, subject: str, coarse_probabilities: np.ndarray, plan: CascadePlan
) -> CaseErrors:
    """Compares what the coarse stage found with the reference.

    Args:
        case: with reference labels on both grids.
        subject: whose case it is.
        coarse_probabilities: (K, z, y, x) on the whole coarse grid.
        plan: says the targets and what is kept.
    """
    bare = replace(plan, region=replace(plan.region, margin_mm=0.0))
    region = find_region(coarse_probabilities, case.trace, bare)
    lost, spurious = _pieces(case, coarse_probabilities, region, plan)
    return CaseErrors(
        name=case.name,
        subject=subject,
        kept=None if region.whole else region.box,
        widened=region.widened,
        whole=region.whole,
        beyond_mm=_beyond(case, region),
        lost=lost,
        spurious=spurious,
    )


def _beyond(case: StoredCase, region: Region) -> tuple[Float3, Float3] | None:
    if case.target_box is None or region.whole:
        return None
    grid, target, kept = case.trace.fine_shape_zyx, case.target_box, region.box
    spacing = np.asarray(case.trace.native.extent_mm) / grid
    low = (np.asarray(kept.start_zyx) - target.start_zyx) * spacing
    high = (np.asarray(target.stop_zyx) - kept.stop_zyx) * spacing
    return _rounded(low), _rounded(high)


def _rounded(values: np.ndarray) -> Float3:
    z, y, x = (round(float(v), 3) for v in values)
    return (z, y, x)


def _pieces(
    case: StoredCase, probabilities: np.ndarray, region: Region, plan: CascadePlan
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Returns the pieces of the reference of which nothing was kept, and what was kept beside it."""
    trace = case.trace
    indices, least = plan.labels.indices(plan.targets), plan.region.min_component_mm3
    volume = voxel_mm3(trace.native.extent_mm, trace.coarse_shape_zyx)
    inside = scale_box(region.box, trace.fine_shape_zyx, trace.coarse_shape_zyx)
    reference, found = read_whole(case.coarse_label, case.name), np.zeros(trace.coarse_shape_zyx, np.uint8)
    found[inside.slices] = probabilities.argmax(axis=0).astype(np.uint8)[inside.slices]
    kept = large_components(found, indices, least, volume)
    real = large_components(reference, indices, least, volume)
    kept_mask = np.zeros(found.shape, dtype=bool)
    for component in kept:
        kept_mask[component.box.slices] |= component.mask
    return _untouched(real, kept_mask, plan), _untouched(kept, np.isin(reference, indices), plan)


def _untouched(components: Sequence[Component], mask_zyx: np.ndarray, plan: CascadePlan) -> tuple[Piece, ...]:
    """Returns the components of which no voxel lies in the mask."""
    return tuple(
        Piece(plan.labels.names[c.label], round(c.volume_mm3, 1))
        for c in components
        if not (c.mask & mask_zyx[c.box.slices]).any()
    )
