"""Trains folds of the cascade: coarse, then fine, then the held-out cases through both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import kneecascade
from kneecascade.console import log_file, say
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import PredictSettings, Stage, TrainSettings
from kneecascade.errors import InputError, PlanError, SettingsError
from kneecascade.files import write_json
from kneecascade.network.checkpoint import load_weights
from kneecascade.network.pretrained import medicalnet_depth_of
from kneecascade.pipeline.plan_and_preprocess import PLAN, SPLITS, STORE, TEST
from kneecascade.pipeline.validate import validate_fold
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import Split, read_or_make_splits, read_subjects
from kneecascade.planning.plan_file import plan_hash, read_plan, write_plan
from kneecascade.planning.planner import widen_to_pretrained
from kneecascade.planning.processes import default_workers, map_in_threads
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.preprocessing.store import StoredCase, case_key, is_current, open_case
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import STATE_FILE, train_stage
from kneecascade.workspace import Workspace

STAGES: tuple[Stage, Stage] = ("coarse", "fine")
VALIDATION_SHARE = 0.06
"""Share of the time limit kept for the held-out cases."""


@dataclass(frozen=True)
class Fold:
    """One fold to train.

    Attributes:
        number: of the fold.
        folder: results/Dataset001_Name/fold_N.
        training: names of the cases to train on.
        held_out: cases that are only scored.
    """

    number: int
    folder: Path
    training: tuple[str, ...]
    held_out: tuple[Case, ...]


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
        SettingsError: there is no such fold, or it was trained already.
        PlanError: there is no plan, or another one than the fold was started with.
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
    splits = read_or_make_splits(folder / SPLITS, names, read_subjects(raw.folder, names))
    chosen = _choose(raw, splits, folds, workspace.results / name)
    _check_store(raw, plan, folder / STORE)
    plans = [_start(fold, plan, settings) for fold in chosen]
    for fold, fold_plan in zip(chosen, plans, strict=True):
        with log_file(fold.folder / "training.log"):
            train_fold(fold, fold_plan, folder / STORE, settings)


def train_fold(fold: Fold, plan: CascadePlan, store: Path, settings: TrainSettings) -> None:
    """Trains the stages of one fold and, when both are there, scores the held-out cases."""
    _write_run(fold, plan, settings)
    say(f"fold {fold.number}: {len(fold.training)} training cases, {len(fold.held_out)} held out")
    training = [open_case(store, name) for name in fold.training]
    watched = [open_case(store, case.name) for case in fold.held_out]
    trained = [stage for stage in settings.stages if _train(stage, fold, plan, training, watched, settings)]
    missing = [stage for stage in STAGES if not (fold.folder / stage / WEIGHTS_FILE).is_file()]
    if missing:
        say(f"fold {fold.number}: the {missing[0]} stage is still to be trained (--stage {missing[0]})")
    elif trained or not (fold.folder / "validation" / "summary.json").is_file():
        validate_fold(fold.folder, fold.held_out, PredictSettings(device=settings.device))
        say(f"fold {fold.number}: {fold.folder / 'validation'} has the scores and pictures")


def _train(
    stage: Stage,
    fold: Fold,
    plan: CascadePlan,
    training: list[StoredCase],
    watched: list[StoredCase],
    settings: TrainSettings,
) -> bool:
    """Trains one stage; returns whether there was anything to do."""
    folder = fold.folder / stage
    if settings.resume and (folder / WEIGHTS_FILE).is_file():
        say(f"{stage}: finished already, kept")
        return False
    budget = _budget(stage, fold, settings)
    train_stage(stage, plan, training, watched, settings, folder, budget)
    return True


def _budget(stage: Stage, fold: Fold, settings: TrainSettings) -> float | None:
    """Returns the seconds of a stage: coarse gets its share, fine what coarse left over."""
    if settings.time_limit_s is None:
        return None
    total = settings.time_limit_s * (1 - VALIDATION_SHARE)
    if len(settings.stages) == 1:
        return total
    if stage == "coarse":
        return total * settings.coarse_time_share
    _, metadata = load_weights(fold.folder / "coarse" / WEIGHTS_FILE)
    return max(total * (1 - settings.coarse_time_share), total - float(metadata.get("seconds", 0)))


def _choose(raw: Dataset, splits: list[Split], folds: Sequence[int] | None, results: Path) -> list[Fold]:
    cases = {case.name: case for case in raw.training}
    chosen = []
    for number in range(len(splits)) if folds is None else folds:
        if not 0 <= number < len(splits):
            raise SettingsError(f"fold {number}: there are folds 0 to {len(splits) - 1}")
        split = splits[number]
        held_out = tuple(cases[name] for name in split["val"])
        chosen.append(Fold(number, results / f"fold_{number}", tuple(split["train"]), held_out))
    return chosen


def _check_store(raw: Dataset, plan: CascadePlan, store: Path) -> None:
    keys = map_in_threads(partial(case_key, plan=plan), raw.training, default_workers(), "Reading files")
    stale = [c.name for c, key in zip(raw.training, keys, strict=True) if not is_current(store, c.name, key)]
    if stale:
        raise InputError(
            f"{store}: {len(stale)} cases are not prepared, or data or plan have changed since, the first "
            f"is {stale[0]}; run kc_plan_and_preprocess -d {raw.identifier}"
        )


def _start(fold: Fold, plan: CascadePlan, settings: TrainSettings) -> CascadePlan:
    """Makes the fold's folder ready and returns the plan it is trained by.

    A fold that was begun keeps its fine network when it goes on; everything else must be as planned.
    """
    plan = _with_pretrained(plan, settings)
    begun = [stage for stage in STAGES if _is_begun(fold.folder / stage)]
    again = [stage for stage in settings.stages if stage in begun]
    if again and not settings.resume and not settings.overwrite:
        raise SettingsError(
            f"{fold.folder}: {' and '.join(again)} trained already; --continue goes on, "
            "--overwrite starts anew"
        )
    if settings.overwrite:
        for stage in again:
            shutil.rmtree(fold.folder / stage)
        begun = [stage for stage in begun if stage not in again]
    if settings.overwrite or not settings.resume:
        shutil.rmtree(fold.folder / "validation", ignore_errors=True)
    if not begun:
        return plan
    before = read_plan(fold.folder / PLAN)
    if _without_fine_network(before) != _without_fine_network(plan):
        raise PlanError(
            f"{fold.folder}: was begun with another plan than {plan.dataset_name} has now; "
            "--overwrite starts both stages anew"
        )
    return before if "fine" in begun else plan


def _with_pretrained(plan: CascadePlan, settings: TrainSettings) -> CascadePlan:
    if not settings.pretrained or Path(settings.pretrained).is_dir():
        return plan
    widened = widen_to_pretrained(plan, medicalnet_depth_of(settings.pretrained))
    old, new = plan.fine.network, widened.fine.network
    if old != new and old.kind == new.kind == "medicalnet_aspp":
        say(
            f"fine: MedicalNet-{new.depth} of width {new.width} as in {Path(settings.pretrained).name}, "
            f"instead of {old.depth} of width {old.width}; about {widened.fine.estimated_memory_gb:.1f} GB"
        )
    return widened


def _without_fine_network(plan: CascadePlan) -> CascadePlan:
    fine = replace(plan.fine, network=plan.coarse.network, estimated_memory_gb=0.0)
    return replace(plan, fine=fine)


def _is_begun(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (WEIGHTS_FILE, STATE_FILE))


def _write_run(fold: Fold, plan: CascadePlan, settings: TrainSettings) -> None:
    write_plan(plan, fold.folder / PLAN)
    record = {
        "version": kneecascade.__version__,
        "fold": fold.number,
        "plan_hash": plan_hash(plan),
        "data_hash": plan.data_hash,
        "seed": settings.seed,
        "settings": to_plain(settings),
        "training": list(fold.training),
        "held_out": [case.name for case in fold.held_out],
    }
    write_json(fold.folder / "run.json", record)
