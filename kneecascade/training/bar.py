"""The bar on the terminal while a stage trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kneecascade.training.history import Epoch

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """Steps, time left, how the losses stand.

    Args:
        display: that shows it.
        name: in front of it.
    """

    def __init__(self, display: Progress, name: str) -> None:
        self.display, self.hidden = display, display.disable
        self.task_id = display.add_task(name, total=None, note="")

    def show(self, step: int, total: int, epochs: list[Epoch], losses: list[float]) -> None:
        """Moves the bar to `step` of `total`."""
        if self.hidden:
            return
        note = f"loss {sum(losses) / len(losses):.3f}" if losses else ""
        dice = epochs[-1].mean_dice if epochs else None
        note += f", held-out Dice {dice:.3f}" if dice is not None else ""
        self.display.update(self.task_id, completed=step, total=total, note=note)
