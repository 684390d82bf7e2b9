"""The rules on small pieces beside a model: postprocessing.json."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kneecascade.console import warn
from kneecascade.core.piece_rules import PieceRule, PieceRules
from kneecascade.core.record import from_plain
from kneecascade.errors import InputError
from kneecascade.files import read_json
from kneecascade.inference.cascade import Cascade
from kneecascade.inference.folds import weights_hash

POSTPROCESSING = "postprocessing.json"
"""Beside the folds, written by kc_cross_validation."""


def read_rules(model_folder: Path, labels: tuple[str, ...]) -> PieceRules | None:
    """Reads postprocessing.json of a model; None where there is none.

    Args:
        model_folder: results/Dataset001_Name.
        labels: names of the model's foreground labels.

    Raises:
        InputError: it is not JSON, or a rule in it cannot be used.
    """
    file = model_folder / POSTPROCESSING
    if not file.is_file():
        return None
    data = read_json(file)
    try:
        if not isinstance(data, dict):
            raise ValueError("expected an object")
        weights, listed = data.get("weights"), data.get("rules")
        if not isinstance(weights, dict) or not isinstance(listed, list):
            raise ValueError("needs weights (an object) and rules (a list)")
        rules = tuple(from_plain(PieceRule, rule, f"rules[{k}]") for k, rule in enumerate(listed))
        _check(rules, labels)
    except ValueError as error:
        raise InputError(f"{file}: {error}; mend it, or run kc_cross_validation again") from error
    return PieceRules({str(fold): str(mark) for fold, mark in weights.items()}, rules)


def with_rules(cascade: Cascade, model_folder: Path) -> Cascade:
    """Returns the cascade with the rules beside its folds, if they were chosen with these weights.

    Rules chosen with others are left out with a warning: how a fold errs changes with its training.

    Raises:
        InputError: postprocessing.json is broken.
    """
    found = read_rules(model_folder, cascade.plan.labels.foreground)
    if found is None or not found.rules:
        return cascade
    strange = [
        fold for fold in cascade.folds if found.weights.get(fold) != weights_hash([model_folder / fold])
    ]
    if strange:
        warn(
            f"{model_folder / POSTPROCESSING}: not used, since it was chosen with other weights than those "
            f"of {' '.join(strange)}; run kc_cross_validation again"
        )
        return cascade
    return replace(cascade, rules=found.rules)


def in_words(rule: PieceRule) -> str:
    """Returns a rule as a few words."""
    if rule.keep == "largest":
        return f"{rule.label}: largest piece kept"
    return f"{rule.label}: pieces under {rule.least_mm3:.3g} mm3 dropped"


def _check(rules: tuple[PieceRule, ...], labels: tuple[str, ...]) -> None:
    names = [rule.label for rule in rules]
    for k, rule in enumerate(rules):
        if rule.label not in labels:
            raise ValueError(f"rules[{k}].label: the model has no label {rule.label}")
        if names.count(rule.label) > 1:
            raise ValueError(f"rules[{k}].label: {rule.label} has two rules")
        if rule.least_mm3 < 0:
            raise ValueError(f"rules[{k}].least_mm3: must not be negative")
