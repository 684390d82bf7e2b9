"""The record of a training: one JSON line an epoch, and a picture of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from kneecascade.files import write_text, written_whole

HISTORY, PICTURE = "training.jsonl", "progress.png"


@dataclass(frozen=True)
class Epoch:
    """One epoch.

    Attributes:
        epoch: counted from 1.
        step: steps done at its end.
        learning_rate: of its last step.
        train_loss: mean over its steps; None where every step was skipped.
        held_out_loss: on fixed patches of held-out cases; None without any.
        pseudo_dice: Dice per label on these patches; None for a label they do not hold. It is
            watched, and selects nothing unless patience was asked for.
        seconds: of the epoch.
        waiting: share of these spent waiting for data.
        skipped: steps skipped because the loss was not finite.
        round: of the stage's training.
        smoothed_dice: of the targets, over the round's epochs; None where nothing is selected by it.
    """

    epoch: int
    step: int
    learning_rate: float
    train_loss: float | None
    held_out_loss: float | None
    pseudo_dice: dict[str, float | None]
    seconds: float
    waiting: float
    skipped: int
    round: int = 1
    smoothed_dice: float | None = None

    @property
    def mean_dice(self) -> float | None:
        """Mean over the labels that have a Dice."""
        return self.dice_of(self.pseudo_dice)

    def dice_of(self, names: Iterable[str]) -> float | None:
        """Returns the mean over those of some labels that have a Dice."""
        known = [v for name in names if (v := self.pseudo_dice.get(name)) is not None]
        return sum(known) / len(known) if known else None

    def text(self) -> str:
        """Returns one line for the user."""
        parts = [f"epoch {self.epoch}: step {self.step}"]
        parts += [f"loss {self.train_loss:.3f}"] if self.train_loss is not None else []
        parts += [f"held out {self.held_out_loss:.3f}"] if self.held_out_loss is not None else []
        known = {k: v for k, v in self.pseudo_dice.items() if v is not None}
        parts += ["pseudo-Dice " + " ".join(f"{k} {v:.3f}" for k, v in known.items())] if known else []
        parts += [f"smoothed {self.smoothed_dice:.3f}"] if self.smoothed_dice is not None else []
        parts += [f"{self.skipped} steps skipped"] if self.skipped else []
        parts += [f"{self.seconds:.0f} s, {self.waiting:.0%} waiting for data"]
        return ", ".join(parts)


def read_history(folder: Path) -> list[Epoch]:
    """Returns the epochs so far; a last line that was cut off is dropped."""
    path = folder / HISTORY
    epochs: list[Epoch] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            epochs.append(Epoch(**json.loads(line)))
        except (ValueError, TypeError):
            break
    return epochs


def cut_history(folder: Path, epochs: int) -> list[Epoch]:
    """Keeps the first `epochs` lines, those that the checkpoint knows of, and returns them."""
    kept = read_history(folder)[:epochs]
    write_text(folder / HISTORY, "".join(_line(epoch) for epoch in kept))
    return kept


def append_epoch(folder: Path, epoch: Epoch) -> None:
    """Adds a line."""
    with (folder / HISTORY).open("a", encoding="utf-8") as stream:
        stream.write(_line(epoch))


def draw_progress(folder: Path, epochs: list[Epoch]) -> None:
    """Draws losses and pseudo-Dice over the steps into progress.png."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    steps = [epoch.step for epoch in epochs]
    left.plot(steps, [_number(e.train_loss) for e in epochs], label="training", marker=".")
    left.plot(steps, [_number(e.held_out_loss) for e in epochs], label="held out", marker=".")
    left.set(xlabel="step", ylabel="loss")
    left.legend()
    for name in epochs[-1].pseudo_dice if epochs else []:
        right.plot(steps, [_number(e.pseudo_dice.get(name)) for e in epochs], label=name, marker=".")
    right.set(xlabel="step", ylabel="pseudo-Dice on held-out patches", ylim=(0, 1))
    if epochs and epochs[-1].pseudo_dice:
        right.legend(fontsize="small", ncols=2)
    with written_whole(folder / PICTURE) as temporary:
        figure.savefig(temporary, dpi=80, format="png")


def _line(epoch: Epoch) -> str:
    return json.dumps(asdict(epoch), allow_nan=False) + "\n"


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
