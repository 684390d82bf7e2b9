"""Bias and limits of agreement of a prediction with the reference, after Bland and Altman (1986)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kneecascade.evaluation.bootstrap import Resampling, mean_interval
from kneecascade.evaluation.measures import CaseScores
from kneecascade.evaluation.report import owner, statistic

NORMAL_95 = 1.96
PAIRS = {
    "volume_ml": ("reference_ml", "predicted_ml"),
    "thickness_mm": ("reference_thickness_mm", "predicted_thickness_mm"),
}
"""What is compared: the measures of the reference and of the prediction."""


@dataclass(frozen=True)
class Agreement:
    """One quantity of one label.

    Attributes:
        n: cases where both segmentations hold the label.
        bias: mean of predicted less reference.
        sd: of the differences; None for fewer than two cases.
        low: lower end of the bias's 95 % bootstrap interval; None for fewer than two subjects.
        high: its upper end.
        lower_limit: bias - 1.96 sd: 95 % of single differences lie above, if they are normal.
        upper_limit: bias + 1.96 sd.
    """

    n: int
    bias: float | None
    sd: float | None
    low: float | None
    high: float | None
    lower_limit: float | None
    upper_limit: float | None


def agreements(
    cases: Mapping[str, CaseScores],
    labels: Sequence[str],
    subjects: Mapping[str, str],
    resampling: Resampling | None = None,
) -> dict[str, dict[str, Agreement]]:
    """Returns the agreement in volume of every label, in thickness where that was measured.

    A label that one of both segmentations lacks is a miss, not a disagreement, and is left out.
    """
    found: dict[str, dict[str, Agreement]] = {}
    for label in labels:
        pairs = {what: paired(cases, label, what) for what in PAIRS}
        found[label] = {
            what: _agreement(pair, subjects, resampling)
            for what, pair in pairs.items()
            if pair or what == "volume_ml"
        }
    return found


def paired(cases: Mapping[str, CaseScores], label: str, what: str) -> dict[str, tuple[float, float]]:
    """Returns reference and prediction of a quantity of `PAIRS`, by case, where both have it."""
    pairs = {}
    for name, scores in cases.items():
        truth, guess = (scores[label].get(measure) for measure in PAIRS[what])
        if truth and guess:
            pairs[name] = (truth, guess)
    return pairs


def _agreement(
    pairs: Mapping[str, tuple[float, float]], subjects: Mapping[str, str], resampling: Resampling | None
) -> Agreement:
    differences = [guess - truth for truth, guess in pairs.values()]
    plain = statistic(differences)
    low, high = mean_interval(differences, [owner(name, subjects) for name in pairs], resampling)
    limits: tuple[float | None, float | None] = (None, None)
    if plain.mean is not None and plain.sd is not None:
        limits = (plain.mean - NORMAL_95 * plain.sd, plain.mean + NORMAL_95 * plain.sd)
    return Agreement(plain.n, plain.mean, plain.sd, low, high, *limits)
