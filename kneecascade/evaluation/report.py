"""Statistics of a number over several cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.evaluation.bootstrap import Resampling, mean_interval
from kneecascade.evaluation.measures import CaseScores


@dataclass(frozen=True)
class Statistic:
    """A number over several cases.

    Attributes:
        mean: None where no case has the number.
        sd: sample standard deviation; None for fewer than two cases.
        n: cases that have the number.
    """

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class Summary:
    """A number over several cases, in full.

    Attributes:
        n: cases that have the number.
        undefined: cases that have none, such as the distance to a structure that is missing.
        mean: None where no case has the number.
        sd: sample standard deviation; None for fewer than two cases.
        median: None where no case has the number.
        low: lower end of the mean's 95 % bootstrap interval; None for fewer than two subjects.
        high: its upper end.
    """

    n: int
    undefined: int
    mean: float | None
    sd: float | None
    median: float | None
    low: float | None
    high: float | None


LabelSummary = dict[str, Summary]
"""Summary by name of the measure."""


def statistic(numbers: Iterable[float | None]) -> Statistic:
    """Returns mean, standard deviation and count of the numbers that are there."""
    there = [number for number in numbers if number is not None]
    return Statistic(
        mean=float(np.mean(there)) if there else None,
        sd=float(np.std(there, ddof=1)) if len(there) > 1 else None,
        n=len(there),
    )


def summarize(
    cases: Mapping[str, CaseScores],
    labels: Sequence[str],
    subjects: Mapping[str, str],
    resampling: Resampling | None = None,
) -> dict[str, LabelSummary]:
    """Returns every measure of every label over cases.

    Args:
        cases: scores by case name.
        labels: names of the labels.
        subjects: who each case is; a case that is not in it is its own subject. Whole subjects are drawn
            for the interval, since cases of one are alike.
        resampling: of the bootstrap; None for the defaults.
    """
    found: dict[str, LabelSummary] = {}
    for label in labels:
        there = {name: scores[label] for name, scores in cases.items() if label in scores}
        measures = list(next(iter(there.values()), {}))
        found[label] = {
            measure: _summary({name: scores[measure] for name, scores in there.items()}, subjects, resampling)
            for measure in measures
        }
    return found


def _summary(
    values: Mapping[str, float | None], subjects: Mapping[str, str], resampling: Resampling | None
) -> Summary:
    there = {name: value for name, value in values.items() if value is not None}
    plain = statistic(there.values())
    low, high = mean_interval(list(there.values()), [owner(name, subjects) for name in there], resampling)
    return Summary(
        n=plain.n,
        undefined=len(values) - plain.n,
        mean=plain.mean,
        sd=plain.sd,
        median=float(np.median(list(there.values()))) if there else None,
        low=low,
        high=high,
    )


def owner(case: str, subjects: Mapping[str, str]) -> str:
    """Returns a key for whoever a case belongs to; apart from any subject that bears the case's name."""
    return f"subject {subjects[case]}" if subjects.get(case) else f"case {case}"
