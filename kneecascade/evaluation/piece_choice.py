"""Chooses, label by label, whether dropping small pieces helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.core.piece_rules import PieceRule
from kneecascade.evaluation.report import owner

LEAST_GAIN = 0.001
"""Mean Dice that a rule must add."""
MOST_HARM = 0.01
"""Dice that no single case may lose by it."""
FEWEST_SUBJECTS = 5
"""Fewer choose nothing."""
SHARES = (0.05, 0.25)
"""Pieces under these shares of the label's smallest volume in training are tried."""


@dataclass(frozen=True)
class Tried:
    """One rule over all cases.

    Attributes:
        rule: what was tried.
        gain: mean over cases of what it adds to the Dice.
        worst: of one case; below 0 where a case loses.
        changed: cases that it changes.
        helps: whether it passes: enough gain, no case harmed much.
    """

    rule: PieceRule
    gain: float
    worst: float
    changed: int
    helps: bool


@dataclass(frozen=True)
class Choice:
    """What was decided for one label.

    Attributes:
        label: its name.
        rule: the chosen one; None where none helps.
        gain: of the chosen one; 0 without.
        left_out_gain: mean gain where the rule of each case is chosen without its subject; None for too
            few subjects. This number nothing was selected on.
        tried: every rule, the mildest first.
    """

    label: str
    rule: PieceRule | None
    gain: float
    left_out_gain: float | None
    tried: tuple[Tried, ...]


def candidates(label: str, smallest_mm3: float) -> tuple[PieceRule, ...]:
    """Returns the rules to try for a label, the mildest first.

    Args:
        label: its name.
        smallest_mm3: its smallest volume in a training case that has it; 0 where none has, which leaves the
            rule without a volume.
    """
    above = [PieceRule(label, "above", round(share * smallest_mm3, 3)) for share in SHARES]
    return (*(rule for rule in above if rule.least_mm3 > 0), PieceRule(label, "largest"))


def choose(
    rules: Sequence[PieceRule], gains: Mapping[str, Sequence[float]], subjects: Mapping[str, str]
) -> Choice:
    """Chooses the rule of one label by the cases' gains.

    A rule passes if it adds at least 0.001 to the mean Dice, no case loses more than 0.01, and the gain
    stays above 0 where each subject's rule is chosen by the others. Of those that pass the one that adds
    most is taken, the mildest of equals.

    Args:
        rules: of the label, the mildest first.
        gains: of each rule, by case.
        subjects: who each case is; a case that is not in it is its own subject.
    """
    names = list(gains)
    table = np.array([gains[name] for name in names], dtype=float).reshape(len(names), len(rules))
    owners = np.array([owner(name, subjects) for name in names])
    people = sorted(set(owners.tolist()))
    tried = [_tried(rule, table[:, k]) for k, rule in enumerate(rules)]
    if len(people) < FEWEST_SUBJECTS:
        return Choice(rules[0].label, None, 0.0, None, tuple(tried))
    best = _best(tried)
    left_out = np.zeros(len(names))
    for person in people:
        own = owners == person
        without = _best([_tried(rule, table[~own, k]) for k, rule in enumerate(rules)])
        left_out[own] = 0.0 if without is None else table[own, without]
    mean = float(left_out.mean())
    if best is None or mean <= 0:
        return Choice(rules[0].label, None, 0.0, mean, tuple(tried))
    return Choice(rules[0].label, rules[best], tried[best].gain, mean, tuple(tried))


def _tried(rule: PieceRule, gains: np.ndarray) -> Tried:
    gain, worst = (float(gains.mean()), float(gains.min())) if gains.size else (0.0, 0.0)
    helps = gain >= LEAST_GAIN and worst >= -MOST_HARM
    return Tried(rule, gain, worst, int(np.count_nonzero(gains)), helps)


def _best(tried: Sequence[Tried]) -> int | None:
    helping = [k for k, one in enumerate(tried) if one.helps]
    # rounding lets the mildest win where two differ by nothing that counts
    return max(helping, key=lambda k: (round(tried[k].gain, 4), -k), default=None)
