"""What kc_cross_validation prints about the test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kneecascade.console import say, show_table
from kneecascade.core.piece_rules import PieceRule
from kneecascade.evaluation.comparison import Comparison
from kneecascade.evaluation.measures import CaseScores
from kneecascade.evaluation.report import Statistic, statistic
from kneecascade.pipeline.postprocessing import in_words
from kneecascade.pipeline.score_tables import show_scores
from kneecascade.pipeline.scores_file import FolderScores

Scores = dict[str, CaseScores]


def show_test_scores(
    scores: FolderScores,
    members: Mapping[str, Scores],
    source: str,
    rules: Sequence[PieceRule],
    tolerances_mm: Sequence[float],
) -> None:
    """Prints the scores of the ensemble, then its Dice beside that of each fold alone.

    Args:
        scores: of the ensemble, compared with the mean of its members.
        members: scores of each fold alone.
        source: where the cases come from.
        rules: on small pieces, used in all predictions.
        tolerances_mm: of the surface Dice.
    """
    say(
        f"test set ({source}), {len(scores.cases)} cases, {len(members)} folds; "
        "selected nothing on these cases"
    )
    if rules:
        say(f"small pieces, in all rows: {'; '.join(map(in_words, rules))}")
    show_scores(replace(scores, comparison=None), tolerances_mm)
    rows = []
    for label in scores.labels.foreground:
        together, alone = dice_of(scores.cases, label), [dice_of(one, label) for one in members.values()]
        means = [one.mean for one in alone if one.mean is not None]
        spread = f"{min(means):.3f}..{max(means):.3f}" if means else "-"
        rows.append([label, _shown(together), spread, *_difference((scores.comparison or {})[label])])
    head = ["label", "ensemble", "folds alone", "ensemble - mean fold", "95 %"]
    show_table("Dice on the test set: the ensemble and its members", head, rows)


def _difference(comparison: Mapping[str, Comparison]) -> tuple[str, str]:
    found = comparison.get("dice")
    if found is None or found.difference is None:
        return "-", "-"
    interval = "-" if found.low is None or found.high is None else f"{found.low:+.4f}..{found.high:+.4f}"
    return f"{found.difference:+.4f}", interval


def _shown(dice: Statistic) -> str:
    return "-" if dice.mean is None else f"{dice.mean:.3f}" + (f" ± {dice.sd:.3f}" if dice.sd else "")


def dice_of(scores: Scores, label: str) -> Statistic:
    """Returns mean and spread of one label's Dice."""
    return statistic(case[label]["dice"] for case in scores.values())
