"""Two methods on the same cases: paired differences with interval and test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from kneecascade.evaluation.bootstrap import Resampling, mean_interval
from kneecascade.evaluation.measures import CaseScores, Measure
from kneecascade.evaluation.report import owner, statistic


@dataclass(frozen=True)
class Comparison:
    """One measure of one label by two methods.

    Attributes:
        n: cases that both methods have the number of.
        left_out: cases scored by both where one at least has no number.
        subjects: people among the n; the test and the interval count these, not cases.
        mean: of the method in question.
        mean_against: of the other.
        difference: the first less the other, mean over cases.
        sd: of the differences; None for fewer than two cases.
        low: lower end of the difference's 95 % bootstrap interval; None for fewer than two subjects.
        high: its upper end.
        p: two-sided Wilcoxon signed-rank test of the subjects' mean differences; None where all are 0.
        p_holm: the same, corrected after Holm for the number of labels.
    """

    n: int
    left_out: int
    subjects: int
    mean: float | None
    mean_against: float | None
    difference: float | None
    sd: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None = None


def compare(
    cases: Mapping[str, CaseScores],
    against: Mapping[str, CaseScores],
    labels: Sequence[str],
    measures: Mapping[str, Measure],
    subjects: Mapping[str, str],
    resampling: Resampling | None = None,
) -> dict[str, dict[str, Comparison]]:
    """Compares the scores of two methods on the cases that both have.

    Args:
        cases: scores of the method in question, by case name.
        against: scores of the other.
        labels: names of the labels.
        measures: by name. Of those that are better nearer 0, such as a volume difference, magnitudes are
            compared; those that are neither better nor worse are left out.
        subjects: who each case is, see `report.summarize`.
        resampling: of the bootstrap; None for the defaults.

    Returns:
        Comparisons by label and measure; without what no case has, such as the thickness of bone.
    """
    found: dict[str, dict[str, Comparison]] = {label: {} for label in labels}
    for measure, meaning in measures.items():
        if meaning.better == "neither":
            continue
        size = abs if meaning.better == "nearer 0" else float
        column = {}
        for label in labels:
            pairs = {
                name: (_sized(scores[label][measure], size), _sized(against[name][label][measure], size))
                for name, scores in cases.items()
                if name in against and measure in scores[label]
            }
            if pairs:
                column[label] = _compare(pairs, subjects, resampling)
        for label, p in holm({label: c.p for label, c in column.items()}).items():
            found[label][measure] = replace(column[label], p_holm=p)
    return found


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Returns p-values corrected for their number after Holm (1979); None stays None and does not count."""
    there = {name: p for name, p in p_values.items() if p is not None}
    corrected: dict[str, float | None] = dict.fromkeys(p_values)
    largest = 0.0
    for rank, name in enumerate(sorted(there, key=lambda name: there[name])):
        largest = max(largest, min(1.0, (len(there) - rank) * there[name]))
        corrected[name] = largest
    return corrected


def signed_rank_p(differences: Sequence[float]) -> float | None:
    """Returns the two-sided p of Wilcoxon's signed-rank test; zeros are left out, None where all are 0."""
    there = [value for value in differences if value != 0]
    return float(stats.wilcoxon(there).pvalue) if there else None


def _sized(value: float | None, size: Callable[[float], float]) -> float | None:
    return None if value is None else size(value)


def _compare(
    pairs: Mapping[str, tuple[float | None, float | None]],
    subjects: Mapping[str, str],
    resampling: Resampling | None,
) -> Comparison:
    there = {name: (a, b) for name, (a, b) in pairs.items() if a is not None and b is not None}
    differences = [a - b for a, b in there.values()]
    owners = [owner(name, subjects) for name in there]
    of_subject: dict[str, list[float]] = {}
    for key, difference in zip(owners, differences, strict=True):
        of_subject.setdefault(key, []).append(difference)
    low, high = mean_interval(differences, owners, resampling)
    spread = statistic(differences)
    return Comparison(
        n=len(there),
        left_out=len(pairs) - len(there),
        subjects=len(of_subject),
        mean=statistic(a for a, _ in there.values()).mean,
        mean_against=statistic(b for _, b in there.values()).mean,
        difference=spread.mean,
        sd=spread.sd,
        low=low,
        high=high,
        p=signed_rank_p([float(np.mean(values)) for values in of_subject.values()]),
    )
