"""How the time limit of a fold is shared between stages, rounds and validation."""

from __future__ import annotations

from pathlib import Path

from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.settings import Stage, TrainSettings
from kneecascade.files import read_json
from kneecascade.network.checkpoint import load_metadata, load_numbers
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import STATE_FILE

VALIDATION_SHARE = 0.06
"""Share of the time limit kept for the held-out cases."""
SHORTEST_S = 1.0
"""A round of less is none."""


def stage_budget(
    stage: Stage, fold_folder: Path, settings: TrainSettings, errors: CoarseErrors | None
) -> float | None:
    """Returns the seconds of a stage's first round: coarse gets its share, fine what coarse left over.

    Where further rounds may follow, the first gets its part of the fine stage's time.
    """
    if settings.time_limit_s is None:
        return None
    total = settings.time_limit_s * (1 - VALIDATION_SHARE)
    rounds = settings.max_rounds if stage == "fine" else 1
    if len(settings.stages) == 1:
        return total / rounds
    if stage == "coarse":
        return total * settings.coarse_time_share
    used = _coarse_s(fold_folder) + (errors.seconds if errors else 0.0)
    return max(total * (1 - settings.coarse_time_share), total - used) / rounds


def round_budget(
    number: int, fold_folder: Path, settings: TrainSettings, errors: CoarseErrors | None
) -> float | None:
    """Returns the seconds of a further round of the fine stage: its part of what is left.

    Args:
        number: of the round, above 1.
        fold_folder: with the round before trained and scored.
        settings: of the run.
        errors: tell how long measuring took.
    """
    if settings.time_limit_s is None:
        return None
    state = load_numbers(fold_folder / "fine" / STATE_FILE)
    # a round that was interrupted keeps the seconds it had before it began
    fine_s = float(state.get("first_s" if state.get("round", 1) == number else "elapsed_s", 0))
    coarse_s = _coarse_s(fold_folder) if "coarse" in settings.stages else 0.0
    summary = read_json(fold_folder / "validation" / "summary.json")
    validation_s = sum(record["seconds"]["total"] for record in summary["cases"].values())
    validation_s += summary.get("other_ways", {}).get("seconds", 0.0)
    spent = coarse_s + (errors.seconds if errors else 0.0) + fine_s + (number - 1) * validation_s
    rounds = max(1, settings.max_rounds - number + 1)
    return (settings.time_limit_s - spent) / rounds - validation_s


def _coarse_s(fold_folder: Path) -> float:
    return float(load_metadata(fold_folder / "coarse" / WEIGHTS_FILE).get("seconds", 0))
