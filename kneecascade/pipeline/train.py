"""Trains folds of the cascade: coarse, then fine, then the held-out cases through both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kneecascade.console import log_file, say
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import PredictSettings, Stage, TrainSettings
from kneecascade.errors import OutOfTimeError, PlanError, SettingsError
from kneecascade.pipeline.budget import SHORTEST_S, round_budget, stage_budget
from kneecascade.pipeline.coarse_errors import measure_coarse_errors, read_coarse_errors
from kneecascade.pipeline.fold import STAGES, Fold, check_store, choose_folds, start_folds, write_run
from kneecascade.pipeline.legs import TISSUES
from kneecascade.pipeline.margin import GREATEST_MM, with_margin
from kneecascade.pipeline.quality_reference import learn_reference
from kneecascade.pipeline.rounds import expect_target, rescore, train_rounds
from kneecascade.pipeline.share_calibration import calibrate_share
from kneecascade.pipeline.shipped import named
from kneecascade.pipeline.tissue_cases import tissue_cases
from kneecascade.pipeline.validate import validate_fold
from kneecascade.pipeline.volume_calibration import calibrate_volumes
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_or_make_splits, read_subjects
from kneecascade.planning.plan_file import read_plan
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.preprocessing.store import StoredCase, open_case
from kneecascade.training.error_model import sampling_from
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import train_stage
from kneecascade.training.position import FIRST_ROUND, Round
from kneecascade.training.sampling import GUESSED
from kneecascade.workspace import PLAN, SPLITS, STORE, TEST, Workspace


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
        SettingsError: there is no such fold or device, the fold was trained already, or settings
            contradict each other.
        PlanError: there is no plan, or another one than the fold was started with.
        CheckpointError: pretrained weights cannot be read or do not fit.
        InputError: cases are not prepared, or no longer as the data set and the plan are.
        TrainingError: a training cannot go on.
    """
    if settings.max_rounds > 1 and settings.target_dice is None:
        raise SettingsError("--max-rounds needs --target-dice: without a target one round is enough")
    settings = _with_named_start(settings)
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
    learn_reference(raw, plan.data_hash, workspace.results / name, canonical=plan.canonical_side)
    for fold, fold_plan in zip(chosen, plans, strict=True):
        with log_file(fold.folder / "training.log"):
            train_fold(fold, fold_plan, folder / STORE, subjects, settings, raw.folder / TISSUES)


def _with_named_start(settings: TrainSettings) -> TrainSettings:
    """Lets --pretrained name a model that comes with kneecascade."""
    start = settings.pretrained
    return replace(settings, pretrained=str(named(start))) if start else settings


def train_fold(
    fold: Fold,
    plan: CascadePlan,
    store: Path,
    subjects: Mapping[str, str] | None,
    settings: TrainSettings,
    tissues: Path | None = None,
) -> None:
    """Trains the stages of one fold and, when both are there, scores the held-out cases.

    Args:
        fold: its folder is ready.
        plan: with the margin as planned.
        store: of the prepared cases.
        subjects: subject of each case; None where every case is its own.
        settings: of the run.
        tissues: folder of maps of tissues, for a training on painted images.
    """
    errors = read_coarse_errors(fold.folder)
    write_run(fold, with_margin(plan, errors), settings)
    say(f"fold {fold.number}: {len(fold.training)} training cases, {len(fold.held_out)} held out")
    training = [open_case(store, name) for name in fold.training]
    if settings.synthetic:
        training = tissue_cases(training, plan, settings.seed, tissues)
    held_out = [open_case(store, case.name) for case in fold.held_out]
    work = _Work(fold, plan, training, held_out, settings, errors)
    coarse_changed = work.train_first("coarse")
    if (fold.folder / "coarse" / WEIGHTS_FILE).is_file() and (coarse_changed or errors is None):
        errors = measure_coarse_errors(fold.folder, plan, held_out, subjects, settings.device)
        _tell_margin(errors)
        write_run(fold, with_margin(plan, errors), settings)
        coarse_changed = True
    work = replace(work, plan=with_margin(plan, errors), errors=errors)
    fine_changed = work.train_first("fine")
    missing = [stage for stage in STAGES if not (fold.folder / stage / WEIGHTS_FILE).is_file()]
    if missing:
        say(f"fold {fold.number}: the {missing[0]} stage is still to be trained (--stage {missing[0]})")
    else:
        work.score(coarse_changed, fine_changed)


@dataclass(frozen=True)
class _Work:
    """What is done to one fold: its stages' rounds and its scores."""

    fold: Fold
    plan: CascadePlan
    training: Sequence[StoredCase]
    held_out: Sequence[StoredCase]
    settings: TrainSettings
    errors: CoarseErrors | None

    def train_first(self, stage: Stage) -> bool:
        """Trains the first round of a stage; returns whether there was anything to do."""
        folder = self.fold.folder / stage
        if stage not in self.settings.stages:
            return False
        if self.settings.resume and (folder / WEIGHTS_FILE).is_file():
            say(f"{stage}: finished already, kept")
            return False
        self._train(stage, stage_budget(stage, self.fold.folder, self.settings, self.errors), FIRST_ROUND)
        return True

    def train_further(self, this_round: Round) -> bool:
        """Trains a further round of the fine stage; returns False where no time is left."""
        budget = round_budget(this_round.number, self.fold.folder, self.settings, self.errors)
        if budget is not None and budget < SHORTEST_S:
            return False
        try:
            self._train("fine", budget, this_round)
        except OutOfTimeError:
            return False
        return True

    def score(self, coarse_changed: bool, fine_changed: bool) -> None:
        """Scores the held-out cases where anything changed, then goes for the target, if there is one."""
        folder, settings = self.fold.folder, self.settings
        by_target = settings.target_dice is not None and "fine" in settings.stages
        if by_target:
            expect_target(folder)
        if coarse_changed or fine_changed or not (folder / "validation" / "summary.json").is_file():
            self.validate()
            if coarse_changed and not fine_changed:
                rescore(folder, self.plan.targets)
        if by_target:
            train_rounds(folder, self.plan.targets, settings, self.train_further, self.validate)
        say(f"fold {self.fold.number}: {folder / 'validation'} has the scores and pictures")

    def validate(self) -> None:
        """Sends the held-out cases through the whole cascade, after they have calibrated its output."""
        settings = self.settings
        if self.errors and self.held_out:
            known = self.fold.folder, self.plan, self.errors, self.held_out, settings.device
            # painted images are not what the network will see: how it errs on real ones is unknown
            if settings.calibrate_volumes and not settings.synthetic:
                calibrate_volumes(*known)
            calibrate_share(*known)
        validate_fold(self.fold.folder, self.fold.held_out, PredictSettings(device=self.settings.device))

    def _train(self, stage: Stage, budget_s: float | None, this_round: Round) -> None:
        train_stage(
            stage,
            self.plan,
            self.training,
            self.held_out,
            self.settings,
            self.fold.folder / stage,
            budget_s,
            sampling=sampling_from(self.errors, self.plan) if stage == "fine" else GUESSED,
            this_round=this_round,
        )


def _tell_margin(errors: CoarseErrors) -> None:
    cases = errors.cases
    needs = [case.needed_mm for case in cases if case.needed_mm is not None]
    beyond = sum(need > GREATEST_MM for need in needs)
    largest = f"up to {max(needs):.3g} mm needed" if needs else "no need could be measured"
    missed = f", {beyond} need more than {GREATEST_MM:.3g} mm and are missed" if beyond else ""
    counts = (
        f"{sum(bool(case.lost) for case in cases)} lost a piece, "
        f"{sum(bool(case.spurious) for case in cases)} have a spurious one, "
        f"{sum(case.whole for case in cases)} have no region"
    )
    say(
        f"region: {largest} on {len(cases)} held-out cases{missed}; margin {errors.margin_mm:.3g} mm, "
        f"planned {errors.planned_margin_mm:.3g}; {counts}"
    )
