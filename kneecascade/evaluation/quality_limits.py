"""What quality control believes: limits around what the training cases measure.

The rules below were written before any result was corrupted to test them, and looked at on sound cases
only; see documentation/quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kneecascade.core.labels import Labels
from kneecascade.core.plan import CanonicalSide
from kneecascade.evaluation.measures import cartilage_labels
from kneecascade.evaluation.quality_features import Features

Kind = Literal["ratio", "difference", "at most", "at least"]


@dataclass(frozen=True)
class Rule:
    """How limits of one check follow from the training cases.

    Attributes:
        kind: "ratio" widens the logarithms, "difference" the values, "at most" and "at least" have one
            limit alone.
        slack: what is always added, in units of the value, or as a factor less 1 for ratios.
        unit: of the value.
        what: says the check in words; the name of what is checked takes the place of {}.
    """

    kind: Kind
    slack: float
    unit: str
    what: str


RULES: dict[str, Rule] = {
    "volume": Rule("ratio", 0.15, "ml", "volume of {}"),
    "thickness": Rule("ratio", 0.15, "mm", "thickness of {} (2V/S)"),
    "pieces": Rule("at most", 0.0, "", "pieces of {}"),
    "crumbs": Rule("at most", 0.02, "", "share of {} in crumbs"),
    "contact": Rule("at least", 0.05, "", "share of faces of {}"),
    "border": Rule("at most", 25.0, "mm2", "area of {} side of the image"),
    "arrangement": Rule("difference", 3.0, "mm", "distance from the centre of {}"),
    "lean": Rule("difference", 0.1, "", "shape of {} (correlation of its coordinates)"),
    "roughness": Rule("at most", 0.05, "", "roughness of {} (surface over voted surface)"),
    "tissue": Rule("difference", 0.05, "", "grey of {}"),
    "edge": Rule("at least", 0.07, "", "edge of the image between {}"),
    "shading": Rule("difference", 0.1, "", "change of grey over 100 mm inside labels, {}"),
    "intensity": Rule("difference", 0.05, "", "grey values, {}"),
    "noise": Rule("ratio", 0.5, "", "noise of {}"),
    "entropy": Rule("ratio", 0.25, "", "entropy of {} (0 sure, 1 a guess)"),
    "soft Dice": Rule("at least", 0.02, "", "Dice that its own probabilities promise for {}"),
    "fold agreement": Rule("at least", 0.0, "", "smallest Dice of two folds, {}"),
    "spacing": Rule("ratio", 0.05, "mm", "voxel spacing along {}"),
    "extent": Rule("ratio", 0.1, "mm", "extent of the image along {}"),
}
LEAST_FOLD_DICE, LEAST_FOLD_DICE_OF_CARTILAGE = 0.85, 0.7
"""No held-out case tells how folds agree, since each was learned by all others: fixed limits."""
LEAST_CONTACT = 0.1
"""Labels that touch with less of their faces in some training case are not expected to touch."""
WIDEN = ((20, 0.5), (10, 1.0), (0, 2.0))
"""With at least so many training cases a range is widened by this share of it on either side."""


RULES_VERSION = 4
"""Changes with the rules and with the names of what is checked: older limits are then learned again."""


@dataclass(frozen=True)
class Limit:
    """What is believable of one thing.

    Attributes:
        check: name of the check, one of `RULES`.
        what: what is checked.
        low: smallest believable value; None for none.
        high: largest believable value; None for none.
        typical: median of the training cases.
    """

    check: str
    what: str
    low: float | None
    high: float | None
    typical: float


@dataclass(frozen=True)
class QualityReference:
    """What sound cases look like, as written to quality.json.

    Attributes:
        dataset_name: "Dataset001_Name".
        data_hash: of the data the limits were measured on.
        cases: how many training cases were measured.
        labels: names and values.
        always_there: labels that every one of them holds.
        limits: one entry a check and thing.
        rules: version of the rules that made them; files that do not say are of the first.
        side: every knee is measured as one of this side, those of the other as their mirror images; "none"
            measures all as they are.
    """

    dataset_name: str
    data_hash: str
    cases: int
    labels: Labels
    always_there: tuple[str, ...]
    limits: tuple[Limit, ...]
    rules: int = 1
    side: CanonicalSide = "none"


def make_reference(
    cases: Sequence[Features],
    labels: Labels,
    dataset_name: str,
    data_hash: str,
    side: CanonicalSide = "none",
) -> QualityReference:
    """Returns the limits around the features of training cases.

    Args:
        cases: at least one, as `quality_features.measure_features` returns them.
        labels: names and values.
        dataset_name: "Dataset001_Name".
        data_hash: of the data.
        side: that they were measured as.
    """
    limits = [limit for check in RULES for limit in limits_of(check, cases)]
    volumes: list[Mapping[str, float]] = [case["volume"] for case in cases]
    there = tuple(name for name in volumes[0] if all(name in volume for volume in volumes))
    return QualityReference(
        dataset_name, data_hash, len(cases), labels, there, tuple(limits), RULES_VERSION, side
    )


def limits_of(check: str, cases: Sequence[Features]) -> list[Limit]:
    """Returns the limits of one check around the features of cases."""
    limits = []
    for what in dict.fromkeys(what for case in cases for what in case.get(check, {})):
        values = [case[check][what] for case in cases if what in case.get(check, {})]
        if check == "edge" and len(values) < len(cases):
            continue  # a border that some sound cases do not have
        if check != "contact" or min(values) >= LEAST_CONTACT:
            limits.append(_limit(check, what, RULES[check], values))
    return limits


def sureness_limits(held_out: Sequence[Features], labels: Labels) -> list[Limit]:
    """Returns the limits of what networks say of themselves.

    Args:
        held_out: entropy and soft Dice of cases that the networks were not trained on; none, no limit.
        labels: their names tell cartilage.
    """
    sheets = cartilage_labels(labels)
    agreement = [
        Limit("fold agreement", name, least, None, 1.0)
        for name in labels.foreground
        for least in [LEAST_FOLD_DICE_OF_CARTILAGE if name in sheets else LEAST_FOLD_DICE]
    ]
    return [*limits_of("entropy", held_out), *limits_of("soft Dice", held_out), *agreement]


def _limit(check: str, what: str, rule: Rule, values: Sequence[float]) -> Limit:
    share = next(share for least, share in WIDEN if len(values) >= least)
    if rule.kind == "ratio":
        logs = [math.log(max(value, 1e-9)) for value in values]
        room = share * (max(logs) - min(logs)) + math.log1p(rule.slack)
        low, high = math.exp(min(logs) - room), math.exp(max(logs) + room)
    else:
        room = share * (max(values) - min(values)) + rule.slack
        low, high = min(values) - room, max(values) + room
    return Limit(
        check=check,
        what=what,
        low=None if rule.kind == "at most" else _short(low),
        high=None if rule.kind == "at least" else _short(high),
        typical=_short(sorted(values)[len(values) // 2]),
    )


def _short(value: float) -> float:
    return float(f"{value:.5g}")
