"""What words on a command line stand for: durations, folds, counts, a training's schedule."""

from __future__ import annotations

import argparse
import re
from typing import Any

from kneecascade.core.settings import TrainSettings

DEFAULT = TrainSettings()
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float:
    """Returns the seconds of "90s", "40m", "2h", "1h30m" or "1.5h".

    Raises:
        argparse.ArgumentTypeError: the text is no duration above 0.
    """
    if re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
        seconds = sum(float(number) * SECONDS[unit] for number, unit in parts)
        if seconds > 0:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 40m, 2h or 1h30m")


def fold_list(text: str) -> tuple[int, ...] | None:
    """Returns the numbers of "0", "0-4", "0,2"; None for "all".

    Raises:
        argparse.ArgumentTypeError: the text names no folds.
    """
    if text == "all":
        return None
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} names no folds; write 0, 0-4, 0,2 or all")
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    if not numbers:
        raise argparse.ArgumentTypeError(f"{text!r} names no folds: the range runs backwards")
    return tuple(dict.fromkeys(numbers))


def count(text: str) -> int:
    """Returns a whole number above 0.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def seed(text: str) -> int:
    """Returns a whole number of 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is none, or no generator takes it.
    """
    if not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {2**32 - 1}")
    return int(text)


def positive(text: str) -> float:
    """Returns a number above 0.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not re.fullmatch(r"\d*\.?\d+(e-?\d{1,2})?", text) or float(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return float(text)


def share(text: str) -> float:
    """Returns a number above 0 and at most 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    number = positive(text)
    if number > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return number


def add_schedule_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds how long and how to train; `schedule_of` reads what was given."""
    add = parser.add_argument
    add("--epochs", type=count, help="of each stage (default 250; unlimited with --time-limit)")
    steps = DEFAULT.iterations_per_epoch
    add("--iterations-per-epoch", type=count, default=steps, help="default %(default)s")
    add("--time-limit", type=duration, help="for each fold with its validation: 90s, 40m, 2h, 1h30m")
    add("--batch-size", type=count, help="patches a step (default: the plan's)")
    add("--learning-rate", type=positive, default=DEFAULT.learning_rate, help="peak, default %(default)s")
    add("--seed", type=seed, default=DEFAULT.seed, help="default %(default)s")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default=DEFAULT.device)


def schedule_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns the fields of `TrainSettings` that `add_schedule_arguments` asks for."""
    return {
        "epochs": arguments.epochs,
        "iterations_per_epoch": arguments.iterations_per_epoch,
        "time_limit_s": arguments.time_limit,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "seed": arguments.seed,
        "device": arguments.device,
    }
