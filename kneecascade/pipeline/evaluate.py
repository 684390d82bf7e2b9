"""Scores a folder of predictions against a folder of references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from kneecascade.console import say, warn
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.errors import InputError, SettingsError
from kneecascade.evaluation.agreement import agreements
from kneecascade.evaluation.bootstrap import Resampling
from kneecascade.evaluation.cases import Pair, score_pair
from kneecascade.evaluation.comparison import Comparison, compare
from kneecascade.evaluation.measures import CaseScores, MeasureSettings, all_measures, cartilage_labels
from kneecascade.evaluation.report import LabelSummary, summarize
from kneecascade.pipeline.cohort import Rows, find_rows, groups_of, subjects_of
from kneecascade.pipeline.label_files import find_labels, label_files
from kneecascade.pipeline.score_pictures import draw_scores
from kneecascade.pipeline.score_tables import show_scores
from kneecascade.pipeline.scores_file import FolderScores, write_scores
from kneecascade.planning.processes import map_in_processes, workers_for


@dataclass(frozen=True)
class EvaluateSettings:
    """One run of kc_evaluate.

    Attributes:
        labels_file: a dataset.json; None looks for one beside the references, then for predictions.json
            in the predictions, else values stand for names.
        tolerances_mm: of the normalised surface Dice.
        cartilage: labels that are sheets; None for those with cartilage in their name.
        roi: folder of masks in which cartilage is measured.
        subjects: a subjects.csv; None looks for one beside the references.
        groups: its columns to group by; None for grade, side and site.
        against: folder of another method's predictions.
        pictures: whether to draw.
        images: folder of images, for pictures of the worst cases.
        resampling: of the bootstrap.
        workers: processes; None for the processors, at most four.
    """

    labels_file: Path | None = None
    tolerances_mm: tuple[float, ...] = (0.5, 1.0)
    cartilage: tuple[str, ...] | None = None
    roi: Path | None = None
    subjects: Path | None = None
    groups: tuple[str, ...] | None = None
    against: Path | None = None
    pictures: bool = False
    images: Path | None = None
    resampling: Resampling = field(default_factory=Resampling)
    workers: int | None = None


def evaluate_folders(
    reference: Path, predicted: Path, output: Path | None = None, settings: EvaluateSettings | None = None
) -> int:
    """Scores every case that has a reference, prints tables, writes a JSON file and a table.

    Args:
        reference: folder of reference segmentations.
        predicted: folder of predictions with the same names; the ending may differ.
        output: where the scores go; None for scores.json in the folder of predictions.
        settings: None for the defaults.

    Returns:
        How many cases could not be scored.

    Raises:
        InputError: a folder is missing or empty, or no label names can be read from the file given.
        SettingsError: a setting does not fit the labels or subjects.csv.
    """
    settings = settings or EvaluateSettings()
    pairs = pair_files(reference, predicted, settings.roi)
    labels, source = find_labels(reference, predicted, [p.reference for p in pairs], settings.labels_file)
    rows = find_rows(reference, settings.subjects)
    groups_of([], rows, settings.groups)  # a wrong column is told before the work, not after it
    measured = _measured(labels, settings)
    cases, problems = score_pairs(pairs, labels, measured, settings.workers)
    groups = groups_of(list(cases), rows, settings.groups) if rows else {}
    scores = statistics_of(cases, problems, labels, measured, rows, groups, settings.resampling)
    scores = replace(
        scores,
        comparison=_comparison(cases, reference, labels, measured, rows, settings),
        notes={"reference": str(reference), "predicted": str(predicted), "labels_from": source}
        | ({"against": str(settings.against)} if settings.against else {}),
    )
    path = output or predicted / "scores.json"
    show_scores(scores, measured.tolerances_mm)
    write_scores(scores, path)
    if settings.pictures:
        draw_scores(scores, path.with_name(f"{path.stem}_pictures"), pairs, settings.images)
    say(f"{len(cases)} of {len(pairs)} cases scored: {path} and {path.with_suffix('.csv').name}")
    return len(problems)


def pair_files(reference: Path, predicted: Path, roi: Path | None = None) -> list[Pair]:
    """Returns the files of every case that has a reference.

    Args:
        reference: folder of references.
        predicted: folder of predictions of the same names.
        roi: folder of masks of the same names.

    Raises:
        InputError: a folder is missing, or there is no reference.
    """
    truths, guesses = label_files(reference), label_files(predicted)
    if not truths:
        raise InputError(f"{reference}: no reference segmentation in it")
    if roi is None:
        return [Pair(name, path, guesses.get(name)) for name, path in truths.items()]
    masks = label_files(roi)
    return [Pair(n, path, guesses.get(n), masks.get(n, roi / path.name)) for n, path in truths.items()]


def _measured(labels: Labels, settings: EvaluateSettings) -> MeasureSettings:
    """Returns what is measured.

    Raises:
        SettingsError: a label of cartilage is not there, or a region of interest has none to apply to.
    """
    sheets = cartilage_labels(labels) if settings.cartilage is None else settings.cartilage
    unknown = [name for name in sheets if name not in labels.foreground]
    if unknown:
        raise SettingsError(f"--cartilage {unknown[0]}: the labels are {', '.join(labels.foreground)}")
    if settings.roi and not sheets:
        raise SettingsError(
            "--roi: cuts cartilage alone, and no label is called so; name some with --cartilage"
        )
    return MeasureSettings(tuple(sorted(set(settings.tolerances_mm))), sheets)


def score_pairs(
    pairs: Sequence[Pair],
    labels: Labels,
    measured: MeasureSettings,
    workers: int | None = None,
    rules: Sequence[PieceRule] = (),
) -> tuple[dict[str, CaseScores], dict[str, str]]:
    """Returns scores by case name, and what kept the others from being scored, with a warning each.

    Args:
        pairs: files of each case.
        labels: names and values.
        measured: what is measured.
        workers: processes; None for the processors, at most four.
        rules: which pieces of the predictions count; none, all.
    """
    score = partial(score_pair, labels=labels, settings=measured, rules=rules)
    found = map_in_processes(score, pairs, workers_for(len(pairs), workers), "scoring")
    cases: dict[str, CaseScores] = {}
    problems: dict[str, str] = {}
    for pair, result in zip(pairs, found, strict=True):
        if isinstance(result, str):
            problems[pair.name] = result
            warn(f"{pair.name}: not scored: {result}")
        else:
            cases[pair.name] = result
    return cases, problems


def _comparison(
    cases: dict[str, CaseScores],
    reference: Path,
    labels: Labels,
    measured: MeasureSettings,
    rows: Rows,
    settings: EvaluateSettings,
) -> dict[str, dict[str, Comparison]] | None:
    """Scores the other folder and returns the paired differences; None where there is none."""
    if settings.against is None:
        return None
    others, _ = score_pairs(
        pair_files(reference, settings.against, settings.roi), labels, measured, settings.workers
    )
    names, people = labels.foreground, subjects_of(rows)
    return compare(cases, others, names, all_measures(measured), people, settings.resampling)


def statistics_of(
    cases: dict[str, CaseScores],
    problems: dict[str, str],
    labels: Labels,
    measured: MeasureSettings,
    rows: Rows,
    groups: Mapping[str, Mapping[str, Sequence[str]]],
    resampling: Resampling | None = None,
) -> FolderScores:
    """Returns means over all cases and over each group.

    Args:
        cases: scores by case name.
        problems: what kept other cases from being scored.
        labels: names and values.
        measured: what was measured.
        rows: of subjects.csv.
        groups: names of cases by column and value.
        resampling: of the bootstrap; None for the defaults.
    """
    names, people = labels.foreground, subjects_of(rows)

    def over(members: Sequence[str]) -> dict[str, LabelSummary]:
        return summarize({name: cases[name] for name in members}, names, people, resampling)

    return FolderScores(
        cases=cases,
        problems=problems,
        labels=labels,
        measures=all_measures(measured),
        summary=over(list(cases)),
        groups={
            column: {value: over(members) for value, members in values.items()}
            for column, values in groups.items()
        },
        agreement=agreements(cases, names, people, resampling),
        rows={name: rows[name] for name in cases if name in rows},
    )
