"""Our scores beside published ones: the table, the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kneecascade
from kneecascade.benchmark.grouped_scores import Scores
from kneecascade.benchmark.published import Protocol, Row
from kneecascade.console import say, show_table
from kneecascade.core.record import to_plain
from kneecascade.evaluation.report import Statistic

Means = Mapping[str, Mapping[str, Statistic]]
TITLES = {"dice": "Dice", "assd": "average surface distance, mm"}


def deviation(protocol: Protocol, scored: int, all_folds: bool) -> str:
    """Says what keeps a run from being the published protocol; "" where nothing does."""
    if not all_folds:
        return "not every fold was trained"
    if protocol.count is not None and scored != protocol.count:
        return f"{scored} cases were scored instead of {protocol.count}"
    return ""


def show_result(title: str, protocol: Protocol, ours: Means, scored: int, all_folds: bool) -> None:
    """Prints a table a metric: our row, then the published ones that have it; where these were read.

    Args:
        title: of the data set.
        protocol: with the published rows; where the run deviates from it they are not printed.
        ours: mean scores by printed label and metric.
        scored: cases.
        all_folds: whether every fold was trained.
    """
    why_not = deviation(protocol, scored, all_folds)
    rows = () if why_not else protocol.rows
    for metric, words in TITLES.items():
        table = [[f"kneecascade (n {scored})", *(_ours(ours[name][metric]) for name in ours)]]
        table += [
            [row.method, *(_theirs(row, name, metric) for name in ours)]
            for row in rows
            if any(metric in scores for scores in row.scores.values())
        ]
        show_table(f"{title}, {protocol.description}: {words}", ["method", *ours], table)
    for where in dict.fromkeys(row.read_in for row in rows):
        say(f"read in {where}: {', '.join(row.method for row in rows if row.read_in == where)}")
    if why_not:
        say(f"{why_not}, so this is not the published protocol: published rows are left out")
    elif not rows:
        say("no result published under this protocol is known to kneecascade; ours stands alone")
    if protocol.note:
        say(f"note: {protocol.note}")


def result_record(
    key: str,
    protocol: Protocol,
    ours: Means,
    cases: Mapping[str, Scores | str],
    all_folds: bool,
    licence: str,
) -> dict[str, Any]:
    """Returns what is written to reproduce.json."""
    scored = sum(not isinstance(scores, str) for scores in cases.values())
    why_not = deviation(protocol, scored, all_folds)
    return {
        "kneecascade": kneecascade.__version__,
        "source": key,
        "protocol": protocol.description,
        "deviation": why_not,
        "data_licence": licence,
        "ours": {name: {m: to_plain(s) for m, s in scores.items()} for name, scores in ours.items()},
        "published": [
            {"method": row.method, "scores": row.scores, "read_in": row.read_in} for row in protocol.rows
        ]
        if not why_not
        else [],
        "note": protocol.note,
        "cases": dict(cases),
    }


def _ours(found: Statistic) -> str:
    if found.mean is None:
        return "-"
    spread = "" if found.sd is None else f" ± {found.sd:.3f}"
    return f"{found.mean:.3f}{spread}"


def _theirs(row: Row, name: str, metric: str) -> str:
    value = row.scores.get(name, {}).get(metric)
    return "-" if value is None else f"{value:.3f}"
