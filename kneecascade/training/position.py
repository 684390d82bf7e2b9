"""Where a training stands, and when patience ends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

SMOOTHING = 0.3
"""Weight of the newest epoch in the smoothed pseudo-Dice."""
RAMP_SHARE = 0.1
"""Steps of the ramp-down over the steps of the round before it; one epoch at least."""


@dataclass(frozen=True)
class Round:
    """One schedule of a stage: its number, from 1, and for a further one the weights it starts from."""

    number: int = 1
    start: Path | None = None


FIRST_ROUND = Round()


@dataclass(frozen=True)
class Position:
    """Where a training stands; all of it is in the checkpoint.

    Attributes:
        epoch: epochs done, over all rounds.
        step: steps done, over all rounds.
        elapsed_s: seconds over all its runs and rounds.
        loss_scale: float16's, else 0.
        round: counted from 1; each is one schedule.
        first_step: steps done before this round.
        first_s: seconds before this round.
        smoothed: held-out pseudo-Dice of the targets, smoothed over this round's epochs.
        best: the largest so far; the later of two equal ones.
        best_epoch: when it was reached; the epochs before the round where none is known.
        ramp_step: step at which patience began to ramp down.
        ramp_steps: length of the ramp; 0 while there is none.
        ramp_rate: learning rate the ramp started from.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    loss_scale: float = 0.0
    round: int = 1
    first_step: int = 0
    first_s: float = 0.0
    smoothed: float | None = None
    best: float | None = None
    best_epoch: int = 0
    ramp_step: int = 0
    ramp_steps: int = 0
    ramp_rate: float = 0.0

    def next_round(self, number: int) -> Position:
        """Returns the start of a further round; epochs, steps and seconds count on."""
        return Position(
            epoch=self.epoch,
            step=self.step,
            elapsed_s=self.elapsed_s,
            round=number,
            first_step=self.step,
            first_s=self.elapsed_s,
            best_epoch=self.epoch,
        )

    def watched(self, dice: float | None) -> Position:
        """Returns the position with the pseudo-Dice of the epoch that just ended; None changes nothing."""
        if dice is None:
            return self
        smoothed = dice if self.smoothed is None else (1 - SMOOTHING) * self.smoothed + SMOOTHING * dice
        # the later of two equal ones: while nothing is found yet all are 0, and learning goes on
        if self.best is None or smoothed >= self.best:
            return replace(self, smoothed=smoothed, best=smoothed, best_epoch=self.epoch)
        return replace(self, smoothed=smoothed)

    def is_best(self) -> bool:
        """Says whether the epoch that just ended is the best of its round."""
        return self.best is not None and self.best_epoch == self.epoch

    def ramped(self, patience: int | None, steps_an_epoch: int, rate: float, steps_left: float) -> Position:
        """Returns the position with a ramp-down begun, where patience has run out.

        Args:
            patience: epochs without a better smoothed pseudo-Dice; None for endless.
            steps_an_epoch: the shortest ramp.
            rate: the learning rate now.
            steps_left: of the schedule; where a ramp would take longer, the schedule itself ends the round.
        """
        if patience is None or self.ramp_steps or self.epoch - self.best_epoch < patience:
            return self
        steps = max(steps_an_epoch, round(RAMP_SHARE * (self.step - self.first_step)))
        if steps >= steps_left:
            return self
        return replace(self, ramp_step=self.step, ramp_steps=steps, ramp_rate=rate)

    def ramp_over(self, step: int) -> bool:
        """Says whether the ramp-down is at its end."""
        return bool(self.ramp_steps) and step >= self.ramp_step + self.ramp_steps

    def ramp_factor(self, step: int) -> float:
        """Returns 1 at the start of the ramp and 0 at its end."""
        return max(0.0, 1 - (step - self.ramp_step) / self.ramp_steps)
