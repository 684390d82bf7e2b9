"""What kc_evaluate prints: a row a label, then groups, agreement and comparison."""

from __future__ import annotations

from collections.abc import Sequence

from kneecascade.console import show_table
from kneecascade.evaluation.comparison import Comparison
from kneecascade.evaluation.measures import SURFACE, surface_dice_name
from kneecascade.evaluation.report import LabelSummary, Summary
from kneecascade.pipeline.scores_file import FolderScores

OVERLAP = ("dice", "volume_difference_percent")
DISTANCE = ("assd_mm", "hd95_mm")
SHORT = {"dice": "Dice", "volume_difference_percent": "volume %", "assd_mm": "ASSD mm", "hd95_mm": "HD95 mm"}


def show_scores(scores: FolderScores, tolerances_mm: Sequence[float]) -> None:
    """Prints all tables; each case is in the file of scores."""
    if not scores.cases:
        return
    shares = tuple(surface_dice_name(mm) for mm in tolerances_mm)
    _show_overlap(scores)
    _show_distance(scores, (*DISTANCE, *shares))
    for column, groups in scores.groups.items():
        _show_groups(scores, column, groups, ("dice", "assd_mm", *shares[:1]))
    _show_agreement(scores)
    for measure in ("dice", "assd_mm", *shares[:1]):
        _show_comparison(scores.comparison or {}, measure)


def _show_overlap(scores: FolderScores) -> None:
    rows = []
    for label in scores.labels.foreground:
        summary = scores.summary[label]
        rows.append([label, *_cells(summary, OVERLAP), str(summary["dice"].n), _worst(scores, label)])
    title = "Overlap, mean ± sd (cases where both are empty left out)"
    show_table(title, ["label", *map(_short, OVERLAP), "n", "lowest Dice"], rows)


def _show_distance(scores: FolderScores, names: Sequence[str]) -> None:
    rows = []
    for label in scores.labels.foreground:
        summary = scores.summary[label]
        missed = summary["assd_mm"].undefined - summary["dice"].undefined
        rows.append([label, *_cells(summary, names), str(missed)])
    title = "Surfaces, mean ± sd (missed: one of both is empty, no distance, surface Dice 0)"
    show_table(title, ["label", *map(_short, names), "missed"], rows)


def _show_groups(
    scores: FolderScores, column: str, groups: dict[str, dict[str, LabelSummary]], names: Sequence[str]
) -> None:
    rows = [
        [label, value, *_cells(summary[label], names), str(summary[label]["dice"].n)]
        for label in scores.labels.foreground
        for value, summary in groups.items()
    ]
    show_table(f"By {column}, mean ± sd", ["label", column, *map(_short, names), "n"], rows)


def _show_agreement(scores: FolderScores) -> None:
    rows = []
    for label, quantities in scores.agreement.items():
        for what, a in quantities.items():
            if a.n and (what == "thickness_mm" or "thickness_mm" in quantities):
                limits = _interval(a.lower_limit, a.upper_limit)
                rows.append([label, what, _number(a.bias), _interval(a.low, a.high), limits, str(a.n)])
    if rows:
        head = ["label", "quantity", "bias", "95 %", "limits", "n"]
        show_table("Predicted less reference: bias and limits of agreement (Bland-Altman)", head, rows)


def _show_comparison(comparison: dict[str, dict[str, Comparison]], measure: str) -> None:
    rows = []
    for label, by_measure in comparison.items():
        c = by_measure.get(measure)
        if c and c.n:
            means = [_number(value) for value in (c.mean, c.mean_against, c.difference)]
            p = "-" if c.p is None else f"{c.p:.2g} ({c.p_holm:.2g})"
            rows.append([label, *means, _interval(c.low, c.high), p, str(c.n)])
    if rows:
        head = ["label", "this", "against", "diff", "95 %", "p (Holm)", "n"]
        show_table(f"{_short(measure)}: paired differences, this less against", head, rows)


def _short(measure: str) -> str:
    return SHORT.get(measure) or measure.replace("nsd_", "NSD ").replace("mm", " mm")


def _cells(summary: LabelSummary, names: Sequence[str]) -> list[str]:
    return [_spread(summary[name], 2 if name in SURFACE else 1 if "percent" in name else 3) for name in names]


def _spread(summary: Summary, digits: int) -> str:
    if summary.mean is None:
        return "-"
    spread = "" if summary.sd is None else f"±{summary.sd:.{digits}f}"
    return f"{summary.mean:.{digits}f}{spread}"


def _worst(scores: FolderScores, label: str) -> str:
    dice = {name: case[label]["dice"] for name, case in scores.cases.items()}
    there = {name: value for name, value in dice.items() if value is not None}
    worst = min(there, key=lambda name: there[name], default=None)
    return "-" if worst is None else f"{there[worst]:.3f} {worst}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}" if abs(value) < 0.1 else f"{value:.3g}"


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None else f"{_number(low)}..{_number(high)}"
