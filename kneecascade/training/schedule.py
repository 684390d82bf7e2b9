"""When a training ends and how fast it learns until then."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kneecascade.console import warn
from kneecascade.core.settings import ClockName, Stage, TrainSettings
from kneecascade.errors import OutOfTimeError

DEFAULT_EPOCHS = 250
WARM_UP = 0.02  # share of the training with a rising learning rate
POWER = 0.9
FEWEST_STEPS = 30
"""Where time leaves fewer, the user is told: no network has learned anything by then."""


@dataclass(frozen=True)
class Schedule:
    """The end of a training, in steps, in seconds, or whichever comes first.

    Attributes:
        peak: highest learning rate.
        steps: number of steps, or None where only time counts.
        budget_s: seconds, or None where only steps count.
    """

    peak: float
    steps: int | None
    budget_s: float | None

    def progress(self, step: int, elapsed_s: float) -> float:
        """Returns 0 at the start and 1 at the end; the nearer of the two ends counts."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = 0.0
        if self.budget_s is not None:  # one that is used up already leaves no step
            by_time = elapsed_s / self.budget_s if self.budget_s > 0 else 1.0
        return min(1.0, max(by_steps, by_time))

    def learning_rate(self, progress: float) -> float:
        """Returns the rate: a short linear rise, then (1 - progress)^0.9 down to zero."""
        rise = max(0.01, min(1.0, progress / WARM_UP))
        return self.peak * rise * (1.0 - progress) ** POWER

    def over(self, step: int, elapsed_s: float) -> bool:
        """Says whether the training is at its end."""
        return self.progress(step, elapsed_s) >= 1.0

    def seconds_left(self, step: int, elapsed_s: float, seconds_a_step: float) -> float:
        """Estimates the seconds to the end."""
        by_steps = (self.steps - step) * seconds_a_step if self.steps else float("inf")
        by_time = self.budget_s - elapsed_s if self.budget_s is not None else float("inf")
        return max(0.0, min(by_steps, by_time))


def make_schedule(settings: TrainSettings, budget_s: float | None) -> Schedule:
    """Returns the schedule of one stage; with a budget and no --epochs, time alone rules."""
    epochs = settings.epochs
    if epochs is None and budget_s is None:
        epochs = DEFAULT_EPOCHS
    steps = epochs * settings.iterations_per_epoch if epochs else None
    return Schedule(settings.learning_rate, steps, budget_s)


def require_steps(stage: Stage, steps: int, schedule: Schedule, elapsed_s: float) -> None:
    """Tells the user where time left few steps.

    Args:
        stage: that was trained.
        steps: of the round.
        schedule: of the round.
        elapsed_s: of the round, over all its runs.

    Raises:
        OutOfTimeError: time left not one step, so that nothing was trained.
    """
    if schedule.budget_s is None or steps >= min(FEWEST_STEPS, schedule.steps or FEWEST_STEPS):
        return
    time_s = f"the {max(0.0, schedule.budget_s):.0f} s that the time limit leaves this stage"
    if not steps:
        raise OutOfTimeError(
            f"{stage}: {time_s} were over before the first step, after {elapsed_s:.0f} s of getting ready; "
            "nothing was trained, give a longer --time-limit"
        )
    warn(
        f"{stage}: only {steps} steps fitted into {time_s}; that is hardly a training, give a "
        "longer --time-limit"
    )


class Clock:
    """Seconds of a training, over all its runs: of the wall clock, or computed by this process."""

    def __init__(self, name: ClockName = "wall") -> None:
        self._read = time.process_time if name == "processor" else time.monotonic
        self._start = self._read()

    def add(self, seconds: float) -> None:
        """Counts the seconds that earlier runs took as well."""
        self._start -= seconds

    def elapsed_s(self) -> float:
        """Returns the seconds so far."""
        return self._read() - self._start
