"""Gathers the held-out cases of all folds: scores, rules on small pieces, then the test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import kneecascade
from kneecascade.console import say, warn
from kneecascade.core.settings import DeviceName, PredictSettings, TrainSettings
from kneecascade.errors import InputError, SettingsError
from kneecascade.evaluation.cases import Pair
from kneecascade.evaluation.measures import CaseScores, MeasureSettings, cartilage_labels
from kneecascade.pipeline.cohort import Rows, find_rows, groups_of, subjects_of
from kneecascade.pipeline.cross_validation_ensemble import check_first_look, score_test_set
from kneecascade.pipeline.cross_validation_folds import (
    Study,
    fold_marks,
    held_out_pairs,
    make_ready,
    open_study,
    selections,
    selections_in_words,
)
from kneecascade.pipeline.cross_validation_rules import (
    Decision,
    decide,
    show_decision,
    smallest_volumes,
    write_decision,
)
from kneecascade.pipeline.evaluate import score_pairs, statistics_of
from kneecascade.pipeline.score_tables import show_scores
from kneecascade.pipeline.scores_file import write_scores
from kneecascade.planning.processes import default_workers
from kneecascade.workspace import Workspace

FOLDER, SUMMARY = "cross_validation", "summary.json"


@dataclass(frozen=True)
class CrossValidationSettings:
    """One run of kc_cross_validation.

    Attributes:
        folds: numbers; None for all.
        train: how to train folds that are not trained; None not to.
        test: whether to score the test set.
        again: whether to score it once more with the same model.
        device: where to compute.
        workers: processes; None for the processors, at most four.
    """

    folds: tuple[int, ...] | None = None
    train: TrainSettings | None = None
    test: bool = False
    again: bool = False
    device: DeviceName = "auto"
    workers: int | None = None


def cross_validate(
    workspace: Workspace, dataset: str, settings: CrossValidationSettings | None = None
) -> int:
    """Scores the held-out cases of all folds together and decides about small pieces of labels.

    Writes results/DATASET/cross_validation/summary.json with a table beside it, and postprocessing.json,
    which kc_predict goes by. With `test` the ensemble of the folds is scored on the test set.

    Args:
        workspace: where things lie.
        dataset: "1", "001" or "Dataset001_Name".
        settings: None for the defaults.

    Returns:
        How many held-out cases could not be scored.

    Raises:
        CheckpointError: a fold is not trained and is not to be.
        SettingsError: the test set was scored with this model already; settings contradict each other.
        InputError: data set, folds or predictions cannot be used.
    """
    settings = settings or CrossValidationSettings()
    if settings.again and not settings.test:
        raise SettingsError("--again: belongs to --test; add it")
    study = open_study(workspace, dataset, settings.folds)
    if settings.test:
        check_first_look(study, settings.again)
    predict = PredictSettings(device=settings.device)
    make_ready(study, workspace, predict, settings.train)
    problems = _score_held_out(study, settings.workers or default_workers())
    if settings.test:
        score_test_set(study, predict, settings.workers or default_workers(), settings.again)
    return problems


def _score_held_out(study: Study, workers: int) -> int:
    """Returns how many cases could not be scored."""
    pairs, rows = held_out_pairs(study), find_rows(study.raw.folder / "labelsTr")
    labels = study.raw.labels
    measured = MeasureSettings(cartilage=cartilage_labels(labels))
    cases, problems = score_pairs(pairs, labels, measured, workers)
    if not cases:
        raise InputError(f"{study.model}: none of the {len(pairs)} held-out cases could be scored")
    scores = statistics_of(cases, problems, labels, measured, rows, _groups(study, list(cases), rows))
    told = selections(study)
    say(f"held-out cases of {len(study.folds)} folds: {selections_in_words(told)}")
    if not study.all_folds:
        warn("not all folds: cases of the others are not scored, and an ensemble of all has no rules")
    show_scores(scores, measured.tolerances_mm)
    there = [pair for pair in pairs if pair.name in cases]
    decision, after = _decide(study, there, cases, measured, rows, workers)
    path = study.model / FOLDER / SUMMARY
    notes = _notes(study, told) | {"postprocessing": show_decision(decision, cases, after)}
    write_scores(replace(scores, notes=notes), path)
    file = write_decision(decision, study.model, fold_marks(study), list(cases), subjects_of(rows))
    say(f"{len(cases)} of {len(pairs)} held-out cases scored: {path}; rules for kc_predict: {file}")
    return len(problems)


def _decide(
    study: Study,
    pairs: Sequence[Pair],
    cases: Mapping[str, CaseScores],
    measured: MeasureSettings,
    rows: Rows,
    workers: int,
) -> tuple[Decision, dict[str, CaseScores]]:
    """Returns the decision, and the scores of all cases after it."""
    labels = study.raw.labels
    smallest = smallest_volumes(study.preprocessed, labels, [case.name for case in study.training.training])
    decision = decide(pairs, labels, smallest, subjects_of(rows), workers)
    again = [pair for pair in pairs if pair.name in decision.changed]
    after, _ = score_pairs(again, labels, measured, workers, decision.rules)
    return decision, {**cases, **after}


def _groups(study: Study, names: Sequence[str], rows: Rows) -> dict[str, dict[str, list[str]]]:
    """Returns the cases of each fold, and of each group of subjects.csv."""
    there = set(names)
    folds = {
        str(fold.number): [case.name for case in fold.held_out if case.name in there] for fold in study.folds
    }
    return {"fold": folds} | (groups_of(names, rows) if rows else {})


def _notes(study: Study, told: Mapping[str, str]) -> dict[str, Any]:
    marks = fold_marks(study)
    return {
        "kneecascade": kneecascade.__version__,
        "dataset": study.raw.name,
        "all_folds": study.all_folds,
        "folds": {
            fold.folder.name: {
                "cases": len(fold.held_out),
                "weights_hash": marks[fold.folder.name],
                "selection": told[fold.folder.name],
            }
            for fold in study.folds
        },
    }
