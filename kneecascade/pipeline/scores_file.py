"""What kc_evaluate writes: scores.json and a long table, scores.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kneecascade.core.labels import Labels
from kneecascade.core.record import to_plain
from kneecascade.evaluation.agreement import Agreement
from kneecascade.evaluation.comparison import Comparison
from kneecascade.evaluation.measures import CaseScores, Measure
from kneecascade.evaluation.report import LabelSummary, statistic
from kneecascade.files import write_json, write_text
from kneecascade.pipeline.cohort import Rows

DIGITS = 6
EMPTY = "null where both are empty (left out of means), 0 where one is; distances null where one is"
Record = dict[str, Any]


@dataclass(frozen=True)
class FolderScores:
    """Everything about one folder of predictions.

    Attributes:
        cases: scores by case name.
        problems: what kept a case from being scored, by case name.
        labels: names and values.
        measures: what the numbers mean.
        summary: over all cases.
        groups: over the cases of each group, by column and value.
        agreement: bias and limits by label and quantity.
        comparison: with another folder by label and measure; None without.
        rows: of subjects.csv.
        notes: where things come from, for the head of the file.
    """

    cases: dict[str, CaseScores]
    problems: dict[str, str]
    labels: Labels
    measures: dict[str, Measure]
    summary: dict[str, LabelSummary]
    groups: dict[str, dict[str, dict[str, LabelSummary]]]
    agreement: dict[str, dict[str, Agreement]]
    comparison: dict[str, dict[str, Comparison]] | None = None
    rows: Rows = field(default_factory=dict)
    notes: Record = field(default_factory=dict)


def write_scores(scores: FolderScores, path: Path) -> None:
    """Writes the JSON file, and the table beside it under the same name with .csv."""
    write_json(path, _rounded(_plain(scores)))
    write_text(path.with_suffix(".csv"), _table(scores))


def _plain(scores: FolderScores) -> Record:
    dice = {label: summary["dice"] for label, summary in scores.summary.items() if "dice" in summary}
    means = {label: {"mean": d.mean, "sd": d.sd, "n": d.n} for label, d in dice.items()}
    return {
        **scores.notes,
        "empty_labels": EMPTY,
        "measures": to_plain(scores.measures),
        "mean_dice": means,
        "mean_dice_of_labels": statistic(mean["mean"] for mean in means.values()).mean,
        "summary": to_plain(scores.summary),
        "groups": to_plain(scores.groups),
        "bland_altman": to_plain(scores.agreement),
        **({} if scores.comparison is None else {"comparison": to_plain(scores.comparison)}),
        "problems": scores.problems,
        "cases": scores.cases,
    }


def _rounded(data: Any) -> Any:
    if isinstance(data, float):
        return round(data, DIGITS)
    if isinstance(data, Mapping):
        return {key: _rounded(value) for key, value in data.items()}
    return [_rounded(value) for value in data] if isinstance(data, list) else data


def _table(scores: FolderScores) -> str:
    """Returns one row a case, label and measure; the value is empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    people = ("subject", "side", "site", "grade", "visit") if scores.rows else ()
    writer.writerow(("case", *people, "label", "measure", "value", "unit"))
    for name, case in scores.cases.items():
        row = scores.rows.get(name)
        who = [getattr(row, column, "") for column in people]
        for label, values in case.items():
            for measure, value in values.items():
                shown = "" if value is None else f"{value:.{DIGITS}g}"
                writer.writerow((name, *who, label, measure, shown, scores.measures[measure].unit))
    return text.getvalue()
