"""The training of one stage, from the first step to the saved weights."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kneecascade.console import progress_bar, say
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import Stage, TrainSettings
from kneecascade.network.checkpoint import load_training_state, save_training_state
from kneecascade.preprocessing.store import StoredCase
from kneecascade.training.augment import Augmentation
from kneecascade.training.bench import BATCHES, CHANGES, Bench, Task, set_up
from kneecascade.training.feed import Feed
from kneecascade.training.finish import WEIGHTS_FILE, save_final
from kneecascade.training.heldout import watch
from kneecascade.training.history import Epoch, append_epoch, cut_history, draw_progress
from kneecascade.training.sampling import GUESSED, Sampling
from kneecascade.training.schedule import Clock
from kneecascade.training.step import Stepper, align_state

if TYPE_CHECKING:
    from rich.progress import Progress

STATE_FILE = "training_state.safetensors"
logger = logging.getLogger("kneecascade")


@dataclass(frozen=True)
class Position:
    """Where a training stands: epochs and steps done, seconds over all its runs, float16's loss scale."""

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    loss_scale: float = 0.0


def train_stage(
    stage: Stage,
    plan: CascadePlan,
    training: Sequence[StoredCase],
    held_out: Sequence[StoredCase],
    settings: TrainSettings,
    folder: Path,
    budget_s: float | None = None,
    augmentation: Augmentation | None = None,
    sampling: Sampling = GUESSED,
) -> None:
    """Trains one stage and writes its final weights, those of the last step.

    Args:
        stage: which stage of the plan.
        plan: the whole plan.
        training: cases to train on.
        held_out: cases that are watched; they select nothing.
        settings: of the run; `resume` goes on from the folder's checkpoint if there is one.
        folder: gets model.safetensors, training_state.safetensors, training.jsonl, progress.png.
        budget_s: seconds the stage may take over all its runs; its schedule ends inside them.
        augmentation: what happens to patches how often; None for the default.
        sampling: where patches are drawn.

    Raises:
        TrainingError: no cases, unreadable patches, or a loss that stays not finite.
        CheckpointError: the checkpoint to go on from does not fit.
    """
    clock = Clock()
    task = Task(stage, plan, settings, folder, budget_s)
    folder.mkdir(parents=True, exist_ok=True)
    bench = set_up(task, training, held_out, augmentation or Augmentation(), sampling)
    start = _go_on(task, bench) if settings.resume else Position()
    run = _Run(task, bench, start, clock)
    run.train()
    regions = save_final(task, bench, run.position.step, run.clock.elapsed_s)
    say(
        f"{stage}: {run.position.step} steps in {run.clock.elapsed_s():.0f} s, BatchNorm from "
        f"{regions} whole regions, weights in {folder / WEIGHTS_FILE}"
    )


def _go_on(task: Task, bench: Bench) -> Position:
    path = task.folder / STATE_FILE
    if not path.is_file():
        return Position()
    position = Position(**load_training_state(path, bench.network, bench.optimizer))
    align_state(bench.optimizer)
    say(f"{task.stage}: going on after epoch {position.epoch}, step {position.step}")
    return position


class _Run:
    """The epochs of one training, from a position to the end of the schedule."""

    def __init__(self, task: Task, bench: Bench, start: Position, clock: Clock) -> None:
        self.task, self.bench, self.position, self.clock = task, bench, start, clock
        clock.add(start.elapsed_s)
        self.schedule = task.schedule()
        self.stepper = Stepper(bench.network, bench.optimizer, bench.device, start.loss_scale)
        self.epochs = cut_history(task.folder, start.epoch)
        self.first = (start.step, clock.elapsed_s())

    def train(self) -> None:
        """Trains to the end; the checkpoint, the record and the picture follow every epoch."""
        task, bench = self.task, self.bench
        seed, first = task.seed(BATCHES), self.position.step
        feed = Feed(bench.source, task.batch_size, seed, first, bench.workers, bench.device.device)
        with feed, progress_bar() as display:
            name = f"{task.stage} {task.folder.parent.name}"
            bar = _Bar(display, display.add_task(name, total=None, note=""))
            while not self.schedule.over(self.position.step, self.clock.elapsed_s()):
                self._epoch(feed, bar)

    def _epoch(self, feed: Feed, bar: _Bar) -> None:
        start, waited, step, rate = time.monotonic(), feed.waited_s, self.position.step, 0.0
        losses: list[float] = []
        end = step + self.task.settings.iterations_per_epoch
        while step < end and not self.schedule.over(step, self.clock.elapsed_s()):
            rate = self.schedule.learning_rate(self.schedule.progress(step, self.clock.elapsed_s()))
            image, labels = feed.next()
            image, labels = self.bench.augmenter(image, labels, (*self.task.seed(CHANGES), step))
            loss = self.stepper(image, labels, rate)
            losses += [] if loss is None else [loss]
            step += 1
            bar.show(step, self._steps_in_all(step), self.epochs, losses)
        held_out_loss, dice = watch(
            self.bench.network, self.bench.held_out, self.task.plan.labels.names, self.bench.device
        )
        seconds = time.monotonic() - start
        self._record(
            Epoch(
                epoch=self.position.epoch + 1,
                step=step,
                learning_rate=rate,
                train_loss=sum(losses) / len(losses) if losses else None,
                held_out_loss=held_out_loss,
                pseudo_dice=dice,
                seconds=round(seconds, 2),
                waiting=round((feed.waited_s - waited) / seconds, 4),
                skipped=step - self.position.step - len(losses),
            ),
            told=bar.hidden,
        )

    def _record(self, epoch: Epoch, told: bool) -> None:
        # The checkpoint comes last: what it does not know of is cut from the record on --continue.
        folder = self.task.folder
        self.epochs.append(epoch)
        append_epoch(folder, epoch)
        draw_progress(folder, self.epochs)
        self.position = Position(epoch.epoch, epoch.step, self.clock.elapsed_s(), self.stepper.loss_scale)
        numbers = asdict(self.position)
        save_training_state(folder / STATE_FILE, self.bench.network, self.bench.optimizer, numbers)
        line = f"{self.task.stage} {epoch.text()}, {self._left()}"
        if told:
            say(line)
        else:
            logger.info(line)

    def _steps_in_all(self, step: int) -> int:
        left = self.schedule.seconds_left(step, self.clock.elapsed_s(), self._seconds_a_step(step))
        return step + round(left / max(self._seconds_a_step(step), 1e-6))

    def _seconds_a_step(self, step: int) -> float:
        step_before, elapsed_before = self.first
        return (self.clock.elapsed_s() - elapsed_before) / max(1, step - step_before)

    def _left(self) -> str:
        step, elapsed = self.position.step, self.position.elapsed_s
        seconds = self.schedule.seconds_left(step, elapsed, self._seconds_a_step(step))
        return f"{seconds / 60:.1f} min left"


class _Bar:
    """The bar on the terminal: steps, time left, how the losses stand."""

    def __init__(self, display: Progress, task_id: object) -> None:
        self.display, self.task_id, self.hidden = display, task_id, display.disable

    def show(self, step: int, total: int, epochs: list[Epoch], losses: list[float]) -> None:
        """Moves the bar to `step` of `total`."""
        if self.hidden:
            return
        note = f"loss {sum(losses) / len(losses):.3f}" if losses else ""
        dice = epochs[-1].mean_dice if epochs else None
        note += f", held-out Dice {dice:.3f}" if dice is not None else ""
        self.display.update(self.task_id, completed=step, total=total, note=note)  # type: ignore[arg-type]
