"""Holds a case's features against the limits and says what is unlike sound cases, with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kneecascade.evaluation.quality_features import Features
from kneecascade.evaluation.quality_limits import RULES, Limit, QualityReference, Rule

TOGETHER = ("arrangement", "lean", "roughness", "edge", "shading", "intensity", "spacing", "extent")
"""Checks of which one flag a case is enough: the thing that is farthest out, and how many more are."""
SIDED = ("arrangement", "lean", "shading")
"""Checks with numbers that change when left and right are exchanged."""
MOST_EXCESS = 3.0
MISSING_EXCESS = 1.0


@dataclass(frozen=True)
class Flag:
    """One reason for doubt.

    Attributes:
        check: name of the check, one of `RULES`, or "missing".
        what: what was checked.
        value: what was measured.
        low: smallest believable value; None for none.
        high: largest believable value; None for none.
        excess: how far beyond the limit, in widths of the believable range (where there is one limit alone,
            in distances from the typical value to it, or in the rule's slack if that is more); at most 3.
        text: all of it in one line.
    """

    check: str
    what: str
    value: float
    low: float | None
    high: float | None
    excess: float
    text: str


def find_flags(features: Features, reference: QualityReference) -> tuple[Flag, ...]:
    """Returns everything about a case that is beyond the limits, the farthest out first.

    Args:
        features: of the case.
        reference: limits from the training cases. What the case lacks is not checked, but for labels that
            every training case holds.
    """
    flags = [_missing(name) for name in reference.always_there if name not in features.get("volume", {})]
    for check, rule in RULES.items():
        there = features.get(check, {})
        beyond = [
            _flag(limit, rule, there[limit.what])
            for limit in reference.limits
            if limit.check == check and limit.what in there and is_beyond(there[limit.what], limit)
        ]
        flags += _joined(beyond) if check in TOGETHER else beyond
    return tuple(sorted(flags, key=lambda flag: -flag.excess))


def is_beyond(value: float, limit: Limit) -> bool:
    """Returns whether a value is not believable."""
    return (limit.low is not None and value < limit.low) or (limit.high is not None and value > limit.high)


def of_mirror_image(flag: Flag, measured_as: str) -> Flag:
    """Returns a flag that was found in a knee's mirror image, told so that it holds for the knee itself.

    Args:
        flag: of the mirror image.
        measured_as: side of the mirror image.
    """
    if flag.check == "border":
        what, text = (_left_for_right(words) for words in (flag.what, flag.text))
        return replace(flag, what=what, text=text)
    if flag.check in SIDED:
        return replace(flag, text=f"{flag.text}, mirrored to a {measured_as} knee")
    return flag


def doubt(flags: Iterable[Flag], others: int = 0) -> float:
    """Returns how doubtful a case is, to sort by: 0 without flags; each counts its excess, at least 1.

    Args:
        flags: of the case.
        others: flags that the inference raised; each counts 1.
    """
    return round(others + sum(max(1.0, flag.excess) for flag in flags), 3)


def review_order(doubts: Mapping[str, float]) -> list[str]:
    """Returns the names of doubtful cases, the worst first; cases without doubt are not in it."""
    return sorted((name for name, value in doubts.items() if value > 0), key=lambda name: -doubts[name])


def _left_for_right(text: str) -> str:
    swapped = {"at the left": "at the right", "at the right": "at the left"}
    return next((text.replace(old, new) for old, new in swapped.items() if old in text), text)


def _missing(name: str) -> Flag:
    text = f"{name} is missing; every training case has it"
    return Flag("missing", name, 0.0, None, None, MISSING_EXCESS, text)


def _flag(limit: Limit, rule: Rule, value: float) -> Flag:
    unit = f" {rule.unit}" if rule.unit else ""
    what = rule.what.format(limit.what)
    text = f"{what}: {value:.3g}{unit}, expected {_expected(limit)}{unit}"
    return Flag(limit.check, limit.what, value, limit.low, limit.high, _excess(value, limit), text)


def _expected(limit: Limit) -> str:
    if limit.low is None:
        return f"at most {limit.high:.3g}"
    if limit.high is None:
        return f"at least {limit.low:.3g}"
    return f"{limit.low:.3g} to {limit.high:.3g}"


def _excess(value: float, limit: Limit) -> float:
    below = limit.low is not None and value < limit.low
    edge = limit.low if below else limit.high
    assert edge is not None
    other = limit.high if below else limit.low
    width = abs(edge - (limit.typical if other is None else other))
    return round(min(MOST_EXCESS, abs(value - edge) / max(width, RULES[limit.check].slack or 1.0)), 3)


def _joined(flags: Sequence[Flag]) -> list[Flag]:
    """Returns the flag that is farthest out, with the number of the others in its text."""
    if not flags:
        return []
    worst = max(flags, key=lambda flag: flag.excess)
    more = len(flags) - 1
    text = f"{worst.text} (and {more} more like it)" if more else worst.text
    return [Flag(worst.check, worst.what, worst.value, worst.low, worst.high, worst.excess, text)]
