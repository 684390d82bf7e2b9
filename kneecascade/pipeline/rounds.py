"""Rounds of the fine stage: another schedule from the best weights until the target Dice is reached."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kneecascade.console import say
from kneecascade.core.record import from_plain, to_plain
from kneecascade.core.settings import TrainSettings
from kneecascade.errors import InputError
from kneecascade.evaluation.report import statistic
from kneecascade.files import read_json, write_json, written_whole
from kneecascade.network.checkpoint import load_metadata
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.position import Round

ROUNDS, BEST = "rounds.json", "best_round.safetensors"


@dataclass(frozen=True)
class ScoredRound:
    """A round that was trained and sent through the whole cascade.

    Attributes:
        number: from 1.
        dice: mean over the targets of the cascade's mean Dice on the held-out cases; None where the
            coarse stage changed since.
    """

    number: int
    dice: float | None


@dataclass(frozen=True)
class _RoundsFile:
    """The content of rounds.json."""

    rounds: tuple[ScoredRound, ...]


def train_rounds(
    fold_folder: Path,
    targets: Sequence[str],
    settings: TrainSettings,
    train: Callable[[Round], bool],
    validate: Callable[[], None],
) -> None:
    """Goes on until the cascade's Dice reaches the target or the last round is trained.

    At the end model.safetensors and the validation are those of the best round. May be interrupted
    anywhere; called again it goes on.

    Args:
        fold_folder: both stages trained, the held-out cases scored.
        targets: labels whose mean Dice counts.
        settings: target and greatest number of rounds.
        train: trains a round of the fine stage; returns False where no time is left for it.
        validate: scores the held-out cases.
    """
    rounds = read_rounds(fold_folder) or _add(fold_folder, targets, ())
    if _trained_round(fold_folder) > rounds[-1].number:  # interrupted before it was scored
        validate()
        rounds = _add(fold_folder, targets, rounds)
    while not _reached(rounds, settings) and len(rounds) < settings.max_rounds:
        _tell_miss(rounds, settings)
        if not train(Round(rounds[-1].number + 1, fold_folder / "fine" / BEST)):
            say("no time is left for another round")
            break
        validate()
        rounds = _add(fold_folder, targets, rounds)
    best = _best(rounds)
    if _trained_round(fold_folder) != best.number:
        shutil.rmtree(fold_folder / "validation", ignore_errors=True)
        _copy(fold_folder / "fine" / BEST, fold_folder / "fine" / WEIGHTS_FILE)
        validate()
    _tell_end(rounds, settings)


def read_rounds(fold_folder: Path) -> tuple[ScoredRound, ...]:
    """Reads rounds.json; nothing where there is none.

    Raises:
        InputError: it is broken.
    """
    path = fold_folder / "fine" / ROUNDS
    if not path.is_file():
        return ()
    try:
        return from_plain(_RoundsFile, read_json(path)).rounds
    except ValueError as error:
        raise InputError(f"{path}: {error}; delete it to start the rounds anew") from error


def is_by_target(fold_folder: Path) -> bool:
    """Says whether a target on the held-out cases decided how long the fold was trained."""
    return (fold_folder / "fine" / ROUNDS).is_file()


def expect_target(fold_folder: Path) -> None:
    """Notes, before the first round is scored, that a target will be looked at."""
    if not is_by_target(fold_folder):
        _write(fold_folder, ())


def rescore(fold_folder: Path, targets: Sequence[str]) -> None:
    """Notes that the coarse stage changed: what other rounds scored with the old one no longer counts."""
    rounds = read_rounds(fold_folder)
    if rounds:
        now = _trained_round(fold_folder)
        dice = _cascade_dice(fold_folder, targets)
        _write(fold_folder, tuple(replace(r, dice=dice if r.number == now else None) for r in rounds))


def _add(
    fold_folder: Path, targets: Sequence[str], rounds: tuple[ScoredRound, ...]
) -> tuple[ScoredRound, ...]:
    """Adds the round whose weights and scores lie there; keeps its weights where it is the best."""
    scored = ScoredRound(_trained_round(fold_folder), _cascade_dice(fold_folder, targets))
    rounds = (*rounds, scored)
    if _best(rounds) == scored:
        _copy(fold_folder / "fine" / WEIGHTS_FILE, fold_folder / "fine" / BEST)
    _write(fold_folder, rounds)
    return rounds


def _write(fold_folder: Path, rounds: tuple[ScoredRound, ...]) -> None:
    write_json(fold_folder / "fine" / ROUNDS, to_plain(_RoundsFile(rounds)))


def _trained_round(fold_folder: Path) -> int:
    return int(load_metadata(fold_folder / "fine" / WEIGHTS_FILE).get("round", "1"))


def _cascade_dice(fold_folder: Path, targets: Sequence[str]) -> float:
    dice = read_json(fold_folder / "validation" / "summary.json")["dice"]
    return round(statistic(dice[name]["cascade"]["mean"] for name in targets).mean or 0.0, 4)


def _best(rounds: Sequence[ScoredRound]) -> ScoredRound:
    return max(rounds, key=lambda scored: -1.0 if scored.dice is None else scored.dice)


def _reached(rounds: Sequence[ScoredRound], settings: TrainSettings) -> bool:
    dice = _best(rounds).dice
    return settings.target_dice is None or (dice is not None and dice >= settings.target_dice)


def _tell_miss(rounds: Sequence[ScoredRound], settings: TrainSettings) -> None:
    best, last = _best(rounds), rounds[-1]
    say(
        f"round {last.number} of {settings.max_rounds}: cascade Dice of the targets {_shown(last)} on "
        f"held-out cases misses the target {settings.target_dice:.3f}; another round from the best "
        f"weights, of round {best.number}"
    )


def _tell_end(rounds: Sequence[ScoredRound], settings: TrainSettings) -> None:
    best = _best(rounds)
    reached = "reaches" if _reached(rounds, settings) else "misses"
    say(
        f"{len(rounds)} of {settings.max_rounds} rounds: the best, round {best.number}, {reached} the target "
        f"{settings.target_dice:.3f} with a cascade Dice of the targets of {_shown(best)} "
        "(selected on these cases)"
    )


def _shown(scored: ScoredRound) -> str:
    return "unknown" if scored.dice is None else f"{scored.dice:.3f}"


def _copy(source: Path, to: Path) -> None:
    with written_whole(to) as temporary:
        shutil.copyfile(source, temporary)
