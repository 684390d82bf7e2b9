"""Trains folds of the cascade: coarse, then fine, then the held-out cases through both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kneecascade.console import log_file, say
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import PredictSettings, Stage, TrainSettings
from kneecascade.errors import PlanError
from kneecascade.network.checkpoint import load_weights
from kneecascade.pipeline.coarse_errors import measure_coarse_errors, read_coarse_errors
from kneecascade.pipeline.fold import STAGES, Fold, check_store, choose_folds, start_folds, write_run
from kneecascade.pipeline.margin import GREATEST_MM, with_margin
from kneecascade.pipeline.plan_and_preprocess import PLAN, SPLITS, STORE, TEST
from kneecascade.pipeline.tissue_cases import tissue_cases
from kneecascade.pipeline.validate import validate_fold
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_or_make_splits, read_subjects
from kneecascade.planning.plan_file import read_plan
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.preprocessing.store import StoredCase, open_case
from kneecascade.training.error_model import sampling_from
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import train_stage
from kneecascade.training.sampling import GUESSED
from kneecascade.workspace import Workspace

VALIDATION_SHARE = 0.06
"""Share of the time limit kept for the held-out cases."""


def train_folds(
    workspace: Workspace, dataset: str, folds: Sequence[int] | None, settings: TrainSettings
) -> None:
    """Trains folds one after the other; none needs another.

    Args:
        workspace: where things lie.
        dataset: "1", "001" or "Dataset001_Name".
        folds: numbers, or None for all.
        settings: of the run.

    Raises:
        SettingsError: there is no such fold or device, or the fold was trained already.
        PlanError: there is no plan, or another one than the fold was started with.
        CheckpointError: pretrained weights cannot be read or do not fit.
        InputError: cases are not prepared, or no longer as the data set and the plan are.
        TrainingError: a training cannot go on.
    """
    name = workspace.dataset_name(dataset)
    folder = workspace.preprocessed / name
    plan_file = folder / PLAN
    if not plan_file.is_file():
        raise PlanError(f"{plan_file}: no plan; run kc_plan_and_preprocess -d {dataset} first")
    plan, raw = read_plan(plan_file), read_dataset(workspace.dataset_folder(dataset))
    raw = without_cases(raw, read_test_set(folder / TEST, [case.name for case in raw.training]))
    names = [case.name for case in raw.training]
    rows = read_subjects(raw.folder, names)
    splits = read_or_make_splits(folder / SPLITS, names, rows)
    subjects = {name: row.subject for name, row in rows.items()} if rows else None
    chosen = choose_folds(raw, splits, folds, workspace.results / name)
    check_store(raw, plan, folder / STORE)
    plans = start_folds(chosen, plan, settings)
    for fold, fold_plan in zip(chosen, plans, strict=True):
        with log_file(fold.folder / "training.log"):
            train_fold(fold, fold_plan, folder / STORE, subjects, settings)


def train_fold(
    fold: Fold, plan: CascadePlan, store: Path, subjects: Mapping[str, str] | None, settings: TrainSettings
) -> None:
    """Trains the stages of one fold and, when both are there, scores the held-out cases.

    Args:
        fold: its folder is ready.
        plan: with the margin as planned.
        store: of the prepared cases.
        subjects: subject of each case; None where every case is its own.
        settings: of the run.
    """
    errors = read_coarse_errors(fold.folder)
    write_run(fold, with_margin(plan, errors), settings)
    say(f"fold {fold.number}: {len(fold.training)} training cases, {len(fold.held_out)} held out")
    cases = (
        [open_case(store, name) for name in fold.training],
        [open_case(store, case.name) for case in fold.held_out],
    )
    if settings.synthetic:
        cases = (tissue_cases(cases[0], plan, settings.seed), cases[1])
    changed = "coarse" in settings.stages and _train("coarse", fold, plan, cases, settings, None)
    if (fold.folder / "coarse" / WEIGHTS_FILE).is_file() and (changed or errors is None):
        errors = measure_coarse_errors(fold.folder, plan, cases[1], subjects, settings.device)
        _tell_margin(errors)
        write_run(fold, with_margin(plan, errors), settings)
        changed = True
    plan = with_margin(plan, errors)
    if "fine" in settings.stages:
        changed |= _train("fine", fold, plan, cases, settings, errors)
    missing = [stage for stage in STAGES if not (fold.folder / stage / WEIGHTS_FILE).is_file()]
    if missing:
        say(f"fold {fold.number}: the {missing[0]} stage is still to be trained (--stage {missing[0]})")
    elif changed or not (fold.folder / "validation" / "summary.json").is_file():
        validate_fold(fold.folder, fold.held_out, PredictSettings(device=settings.device))
        say(f"fold {fold.number}: {fold.folder / 'validation'} has the scores and pictures")


def _train(
    stage: Stage,
    fold: Fold,
    plan: CascadePlan,
    cases: tuple[list[StoredCase], list[StoredCase]],
    settings: TrainSettings,
    errors: CoarseErrors | None,
) -> bool:
    """Trains one stage; returns whether there was anything to do."""
    folder = fold.folder / stage
    if settings.resume and (folder / WEIGHTS_FILE).is_file():
        say(f"{stage}: finished already, kept")
        return False
    budget = _budget(stage, fold, settings, errors)
    sampling = sampling_from(errors, plan) if stage == "fine" else GUESSED
    train_stage(stage, plan, *cases, settings, folder, budget, sampling=sampling)
    return True


def _budget(stage: Stage, fold: Fold, settings: TrainSettings, errors: CoarseErrors | None) -> float | None:
    """Returns the seconds of a stage: coarse gets its share, fine what coarse left over."""
    if settings.time_limit_s is None:
        return None
    total = settings.time_limit_s * (1 - VALIDATION_SHARE)
    if len(settings.stages) == 1:
        return total
    if stage == "coarse":
        return total * settings.coarse_time_share
    _, metadata = load_weights(fold.folder / "coarse" / WEIGHTS_FILE)
    used = float(metadata.get("seconds", 0)) + (errors.seconds if errors else 0.0)
    return max(total * (1 - settings.coarse_time_share), total - used)


def _tell_margin(errors: CoarseErrors) -> None:
    needs = [case.needed_mm for case in errors.cases if case.needed_mm is not None]
    beyond = sum(need > GREATEST_MM for need in needs)
    largest = f"up to {max(needs):.3g} mm needed" if needs else "nothing to measure"
    missed = f", {beyond} need more than {GREATEST_MM:.3g} mm and are missed" if beyond else ""
    lost, spurious = (
        sum(bool(pieces) for pieces in group)
        for group in zip(*((case.lost, case.spurious) for case in errors.cases), strict=True)
    )
    say(
        f"region: {largest} by {len(errors.cases)} held-out cases{missed}; margin {errors.margin_mm:.3g} mm, "
        f"planned {errors.planned_margin_mm:.3g}; {lost} lost a piece, {spurious} have a spurious one"
    )
