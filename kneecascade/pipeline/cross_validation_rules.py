"""Decides on held-out cases whether dropping small pieces helps, label by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.console import say, show_table
from kneecascade.core.fingerprint import DatasetFingerprint
from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.core.record import from_plain, to_plain
from kneecascade.errors import InputError
from kneecascade.evaluation import piece_choice
from kneecascade.evaluation.cases import Pair
from kneecascade.evaluation.measures import CaseScores
from kneecascade.evaluation.piece_choice import Choice, candidates, choose
from kneecascade.evaluation.piece_gains import case_gains
from kneecascade.evaluation.report import Statistic, owner, statistic
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline.postprocessing import POSTPROCESSING, in_words
from kneecascade.planning.processes import map_in_processes
from kneecascade.workspace import FINGERPRINT

SELECTED = "selected on these cases"


@dataclass(frozen=True)
class Decision:
    """What was decided on the held-out cases.

    Attributes:
        choices: one a label, in their order.
        changed: names of the cases that the chosen rules change.
    """

    choices: tuple[Choice, ...]
    changed: tuple[str, ...]

    @property
    def rules(self) -> tuple[PieceRule, ...]:
        """The chosen rules."""
        return tuple(choice.rule for choice in self.choices if choice.rule)


def smallest_volumes(preprocessed: Path, labels: Labels, names: Sequence[str]) -> dict[str, float]:
    """Returns the smallest volume in mm3 of each label in the cases that have it; 0 where none has.

    Raises:
        InputError: fingerprint.json is missing or broken.
    """
    file = preprocessed / FINGERPRINT
    try:
        fingerprint = from_plain(DatasetFingerprint, read_json(file))
    except ValueError as error:
        raise InputError(f"{file}: {error}; delete it and run kc_plan_and_preprocess again") from error
    sizes: dict[str, list[float]] = {label: [] for label in labels.foreground}
    for case in fingerprint.cases:
        for label in case.labels:
            if case.name in names and label.volume_mm3 > 0 and label.name in sizes:
                sizes[label.name].append(label.volume_mm3)
    return {label: min(found, default=0.0) for label, found in sizes.items()}


def decide(
    pairs: Sequence[Pair],
    labels: Labels,
    smallest_mm3: Mapping[str, float],
    subjects: Mapping[str, str],
    workers: int,
) -> Decision:
    """Tries the rules of every label on held-out predictions, each by the fold that did not see the case.

    Args:
        pairs: files of each case.
        labels: names and values.
        smallest_mm3: of each label in training.
        subjects: who each case is.
        workers: processes.
    """
    tried = {label: candidates(label, smallest_mm3[label]) for label in labels.foreground}
    rules = [rule for some in tried.values() for rule in some]
    found = map_in_processes(
        partial(_gains, labels=labels, rules=rules), pairs, workers, "trying to drop pieces"
    )
    gains = {pair.name: dict(zip(rules, row, strict=True)) for pair, row in zip(pairs, found, strict=True)}
    choices = tuple(
        choose(some, {name: [row[rule] for rule in some] for name, row in gains.items()}, subjects)
        for some in tried.values()
    )
    chosen = [choice.rule for choice in choices if choice.rule]
    changed = tuple(name for name, row in gains.items() if any(row[rule] for rule in chosen))
    return Decision(choices, changed)


def write_decision(
    decision: Decision,
    model: Path,
    weights: Mapping[str, str],
    cases: Sequence[str],
    people: Mapping[str, str],
) -> Path:
    """Writes postprocessing.json beside the folds; returns its path."""
    file = model / POSTPROCESSING
    subjects = len({owner(name, people) for name in cases})
    record = {
        "kneecascade": kneecascade.__version__,
        "selection": f"{SELECTED}: held-out cases, each predicted by the fold that did not see it",
        "cases": len(cases),
        "subjects": subjects,
        "criterion": {
            "least_mean_gain_of_dice": piece_choice.LEAST_GAIN,
            "most_dice_a_case_may_lose": piece_choice.MOST_HARM,
            "fewest_subjects": piece_choice.FEWEST_SUBJECTS,
        },
        "weights": dict(weights),
        "rules": to_plain(decision.rules),
        "labels": {choice.label: to_plain(choice) for choice in decision.choices},
    }
    write_json(file, record)
    return file


def show_decision(
    decision: Decision, before: Mapping[str, CaseScores], after: Mapping[str, CaseScores]
) -> dict[str, Any]:
    """Prints Dice before and after the rules; returns what summary.json says of them."""
    dice = {
        choice.label: {
            "before": statistic(scores[choice.label]["dice"] for scores in before.values()),
            "after": statistic(scores[choice.label]["dice"] for scores in after.values()),
        }
        for choice in decision.choices
    }
    rows = [
        [
            choice.label,
            in_words(choice.rule).partition(": ")[2] if choice.rule else "kept as it is",
            _shown(dice[choice.label]["before"]),
            _shown(dice[choice.label]["after"]),
            "-" if choice.left_out_gain is None else f"{choice.left_out_gain:+.4f}",
        ]
        for choice in decision.choices
    ]
    head = ["label", "small pieces", "before", "after", "gain, subject left out"]
    show_table(f"Dice of held-out cases before and after rules on small pieces ({SELECTED})", head, rows)
    if not decision.rules:
        say(f"no label gains {piece_choice.LEAST_GAIN} of Dice or more by dropping pieces; all are kept")
    return {
        "selection": SELECTED,
        "rules": to_plain(decision.rules),
        "changed": list(decision.changed),
        "dice": to_plain(dice),
    }


def _gains(pair: Pair, labels: Labels, rules: Sequence[PieceRule]) -> list[float]:
    assert pair.predicted is not None
    return case_gains(read_labels(pair.reference), read_labels(pair.predicted).array, labels, rules)


def _shown(dice: Statistic) -> str:
    if dice.mean is None:
        return "-"
    return f"{dice.mean:.4f}" + ("" if dice.sd is None else f" ± {dice.sd:.3f}")
