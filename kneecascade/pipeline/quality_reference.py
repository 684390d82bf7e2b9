"""What sound cases look like: measured on the training cases, kept with the model as quality.json."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kneecascade.console import say
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CanonicalSide
from kneecascade.core.record import to_plain
from kneecascade.errors import InputError
from kneecascade.evaluation.quality_features import Features
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.evaluation.quality_limits import (
    QualityReference,
    make_reference,
    sureness_limits,
)
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.pipeline.quality_sides import features_of, side_to_learn, told_of_labels
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import read_plan
from kneecascade.planning.processes import map_in_processes, workers_for
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.workspace import PLAN, TEST, Workspace

MOST_CASES = 150
"""More would widen the limits little; which ones is drawn by a fixed seed."""


def learn_reference(
    raw: Dataset,
    data_hash: str,
    model_folder: Path,
    workers: int | None = None,
    canonical: CanonicalSide = "none",
) -> QualityReference:
    """Measures training cases and writes quality.json into the model's folder, unless it is there already.

    Args:
        raw: the data set, without cases set aside for testing.
        data_hash: of the plan.
        model_folder: results/Dataset001_Name.
        workers: processes; None for the processors, at most four.
        canonical: side of the plan; see `quality_sides.side_to_learn`.

    Raises:
        ImageError: a file cannot be read.
    """
    there = read_reference(model_folder)
    side = side_to_learn(raw, canonical)
    if there and (there.data_hash, there.labels, there.side) == (data_hash, raw.labels, side):
        return there
    cases = [case for case in raw.training if case.label]
    if len(cases) > MOST_CASES:
        cases = random.Random(0).sample(cases, MOST_CASES)
    measure = partial(_measure, labels=raw.labels, measured_as=side)
    features = map_in_processes(measure, cases, workers_for(len(cases), workers), "Quality")
    reference = make_reference(features, raw.labels, raw.name, data_hash, side)
    write_json(model_folder / FILE, to_plain(reference))
    say(f"quality control: limits from {len(cases)} training cases in {model_folder / FILE}")
    return reference


def learn_of_dataset(
    workspace: Workspace, dataset: str, model_folder: Path | None = None, workers: int | None = None
) -> QualityReference:
    """Makes the limits of a planned data set, for a model that was trained without them.

    Args:
        workspace: where things lie.
        dataset: "1", "001" or "Dataset001_Name".
        model_folder: None for results/Dataset001_Name.
        workers: processes.

    Raises:
        DatasetError: the data set cannot be used.
        PlanError: it was not planned.
    """
    name = workspace.dataset_name(dataset)
    folder = workspace.preprocessed / name
    raw, plan = read_dataset(workspace.dataset_folder(dataset)), read_plan(folder / PLAN)
    raw = without_cases(raw, read_test_set(folder / TEST, [case.name for case in raw.training]))
    target = model_folder or workspace.results / name
    (target / FILE).unlink(missing_ok=True)
    return learn_reference(raw, plan.data_hash, target, workers, plan.canonical_side)


def with_sureness(reference: QualityReference, fold_folders: Sequence[Path]) -> QualityReference:
    """Adds limits of what the networks say of themselves, from the folds' held-out cases.

    A packed model, which comes without its validation, brings them along; they stay.
    """
    held_out = [features for folder in fold_folders for features in _held_out(folder)]
    there = {limit.check for limit in reference.limits}
    limits = [one for one in sureness_limits(held_out, reference.labels) if one.check not in there]
    return replace(reference, limits=(*reference.limits, *limits))


def _measure(case: Case, labels: Labels, measured_as: CanonicalSide) -> Features:
    assert case.label is not None
    found = read_labels(case.label)
    told = told_of_labels(found, labels) or case.side  # as planning takes training cases
    return features_of(read_volume(case.images), found, labels, measured_as, told)


def _held_out(fold_folder: Path) -> list[Features]:
    """Returns entropy and soft Dice of a fold's held-out cases; none where it was validated without."""
    try:
        cases: dict[str, Any] = read_json(fold_folder / "validation" / "summary.json")["cases"]
        told = [case["sureness"] for case in cases.values()]
        return [
            {"entropy": dict(one["entropy"]), "soft Dice": dict(one.get("soft_dice", {}))} for one in told
        ]
    except (InputError, KeyError, TypeError, AttributeError):
        return []


def _told_of_itself(sureness: dict[str, Any]) -> Features:
    return {"entropy": dict(sureness["entropy"]), "soft Dice": dict(sureness.get("soft_dice", {}))}
