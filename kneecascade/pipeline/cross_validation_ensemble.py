"""Scores the ensemble of all folds on the test set, once, beside each fold alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.console import say
from kneecascade.core.case import Case
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import PredictSettings
from kneecascade.errors import DatasetError, InputError, SettingsError
from kneecascade.evaluation.cases import Pair
from kneecascade.evaluation.comparison import compare
from kneecascade.evaluation.measures import MeasureSettings, all_measures, cartilage_labels
from kneecascade.evaluation.report import statistic
from kneecascade.files import read_json
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.inference.cascade import Cascade, load_cascade
from kneecascade.pipeline.cohort import find_rows, groups_of, subjects_of
from kneecascade.pipeline.cross_validation_folds import Study, fold_marks
from kneecascade.pipeline.cross_validation_tables import Scores, dice_of, show_test_scores
from kneecascade.pipeline.drawing import draw_result
from kneecascade.pipeline.evaluate import score_pairs, statistics_of
from kneecascade.pipeline.images import Job
from kneecascade.pipeline.postprocessing import with_rules
from kneecascade.pipeline.predict import limits_of, predict_jobs
from kneecascade.pipeline.scores_file import FolderScores, write_scores
from kneecascade.planning.plan_file import read_plan
from kneecascade.workspace import PLAN, TEST

FOLDER, SUMMARY, ENSEMBLE = "test", "summary.json", "ensemble"
PICTURES = 3


def labelled_test_cases(study: Study) -> tuple[list[Case], str]:
    """Returns the test cases that have a reference, and where they come from.

    Raises:
        DatasetError: there are none.
    """
    if study.aside:
        return [case for case in study.raw.training if case.name in study.aside], TEST
    cases = [case for case in study.raw.test if case.label is not None]
    if not cases:
        raise DatasetError(
            f"{study.raw.folder}: no test set; set cases aside with kc_plan_and_preprocess --test-fraction, "
            "or put images into imagesTs and their labels into labelsTs"
        )
    return cases, "labelsTs"


def check_first_look(study: Study, again: bool) -> None:
    """Checks that the test set was not scored with these weights before.

    Raises:
        SettingsError: it was, and `again` is not given.
        DatasetError: there is no test set.
        InputError: test/summary.json is broken.
    """
    cases, _ = labelled_test_cases(study)
    file = study.model / FOLDER / SUMMARY
    if again or not file.is_file():
        return
    before = read_json(file)
    trained = [fold.folder for fold in study.folds if (fold.folder / PLAN).is_file()]
    if len(trained) < len(study.folds) or before.get("folds") != fold_marks(study):
        return
    if set(before.get("cases", ())) == {case.name for case in cases}:
        raise SettingsError(
            f"{file}: the test set was scored with these weights on {before.get('scored_at')}; who looks "
            "twice chooses by it. --again scores it once more and says so in the file"
        )


def score_test_set(study: Study, settings: PredictSettings, workers: int, again: bool) -> Path:
    """Predicts with the ensemble and each fold, scores, writes test/summary.json; returns its path.

    What was predicted already by the same weights is kept. Nothing is scored before all is predicted.

    Raises:
        InputError: a case could not be segmented or scored.
    """
    cases, source = labelled_test_cases(study)
    labels, folder = study.raw.labels, study.model / FOLDER
    numbers = [fold.number for fold in study.folds]
    ensemble = load_cascade(study.model, numbers, settings.device, limits_of(settings))
    ensemble = with_rules(ensemble, study.model)
    members = members_of(ensemble, study)
    for name, cascade in {ENSEMBLE: ensemble, **members}.items():
        _predict(cases, cascade, study, folder / name, settings)
    measured = MeasureSettings(cartilage=cartilage_labels(labels))
    scored = {name: _score(cases, study, folder / name, measured, workers) for name in (ENSEMBLE, *members)}
    rows = find_rows(study.raw.folder / "labelsTs")
    names, alone = list(scored[ENSEMBLE]), {name: scored[name] for name in members}
    groups = groups_of(names, rows) if rows else {}
    scores = statistics_of(scored[ENSEMBLE], {}, labels, measured, rows, groups)
    comparison = compare(
        scored[ENSEMBLE], mean_member(alone), labels.foreground, all_measures(measured), subjects_of(rows)
    )
    notes = _notes(study, ensemble, source, again) | {"members": _members(alone, labels.foreground)}
    scores = replace(scores, comparison=comparison, notes=notes)
    write_scores(scores, folder / SUMMARY)
    show_test_scores(scores, alone, source, ensemble.rules, measured.tolerances_mm)
    _draw_worst(scores, cases, ensemble.plan, folder)
    say(f"{len(names)} test cases scored: {folder / SUMMARY}")
    return folder / SUMMARY


def members_of(ensemble: Cascade, study: Study) -> dict[str, Cascade]:
    """Returns each fold of an ensemble alone, under its own plan; the networks are shared."""
    plans = [read_plan(study.model / name / PLAN) for name in ensemble.folds]
    each = zip(ensemble.folds, plans, ensemble.coarse, ensemble.fine, strict=True)
    return {
        name: replace(ensemble, plan=plan, coarse=(coarse,), fine=(fine,), folds=(name,))
        for name, plan, coarse, fine in each
    }


def mean_member(members: Mapping[str, Scores]) -> Scores:
    """Returns the mean of all members' scores, case by case; None where any has none."""
    first = next(iter(members.values()))

    def mean(case: str, label: str, measure: str) -> float | None:
        values = [scores[case][label][measure] for scores in members.values()]
        return None if None in values else statistic(values).mean

    return {
        case: {label: {m: mean(case, label, m) for m in values} for label, values in by_label.items()}
        for case, by_label in first.items()
    }


def _predict(
    cases: Sequence[Case], cascade: Cascade, study: Study, folder: Path, settings: PredictSettings
) -> None:
    jobs = [Job(case, folder / f"{case.name}{study.raw.file_ending}") for case in cases]
    wanted = replace(settings, resume=True)
    records = predict_jobs(jobs, cascade, study.model, wanted, what=f"test set, {folder.name}")
    failed = [name for name, record in records.items() if "error" in record]
    if failed:
        raise InputError(
            f"{failed[0]}: {records[failed[0]]['error']}; {len(failed)} test cases were not segmented, and "
            "nothing is scored before all are"
        )


def _score(
    cases: Sequence[Case], study: Study, folder: Path, measured: MeasureSettings, workers: int
) -> Scores:
    pairs = [
        Pair(case.name, case.label, folder / f"{case.name}{study.raw.file_ending}")
        for case in cases
        if case.label
    ]
    scores, problems = score_pairs(pairs, study.raw.labels, measured, workers)
    if problems:
        first = next(iter(problems))
        raise InputError(f"{first}: {problems[first]}; nothing is scored before every test case can be")
    return scores


def _notes(study: Study, ensemble: Cascade, source: str, again: bool) -> dict[str, Any]:
    file = study.model / FOLDER / SUMMARY
    before = read_json(file) if file.is_file() else {}
    earlier = list(before.get("earlier", ()))
    if before:
        earlier.append({key: before.get(key) for key in ("scored_at", "again", "folds", "mean_dice")})
    return {
        "kneecascade": kneecascade.__version__,
        "dataset": study.raw.name,
        "scored_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "again": again,
        "looks": len(earlier) + 1,
        "earlier": earlier,
        "selection": "selected nothing on these cases",
        "test_set": source,
        "folds": fold_marks(study),
        "postprocessing": to_plain(ensemble.rules),
        "this": "the ensemble of the folds",
        "against": "the mean of the folds, each alone, case by case",
    }


def _members(members: Mapping[str, Scores], labels: Sequence[str]) -> dict[str, Any]:
    """Returns the mean Dice of each fold alone."""
    return {
        name: {label: to_plain(dice_of(scores, label)) for label in labels}
        for name, scores in members.items()
    }


def _draw_worst(scores: FolderScores, cases: Sequence[Case], plan: CascadePlan, folder: Path) -> None:
    """Draws the cases whose targets the ensemble segmented worst."""

    def target_dice(case: Case) -> float:
        found = statistic(scores.cases[case.name][label]["dice"] for label in plan.targets).mean
        return 1.0 if found is None else found

    for case in sorted(cases, key=target_dice)[:PICTURES]:
        assert case.label is not None
        labels = read_labels(folder / ENSEMBLE / f"{case.name}{plan.file_ending}")
        title = f"{case.name}  mean Dice of the targets {target_dice(case):.3f}"
        path = folder / "pictures" / f"{case.name}.png"
        draw_result(path, read_volume(case.images), labels, plan, title, read_labels(case.label))
