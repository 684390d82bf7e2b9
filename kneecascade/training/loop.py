"""The training of one stage, from the first step to the saved weights."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from kneecascade.console import progress_bar, say
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import Stage, TrainSettings
from kneecascade.network.checkpoint import (
    load_into,
    load_numbers,
    load_training_state,
    save_training_state,
)
from kneecascade.preprocessing.store import StoredCase
from kneecascade.training.augment import Augmentation
from kneecascade.training.bar import Bar
from kneecascade.training.bench import BATCHES, CHANGES, Bench, Task, set_up
from kneecascade.training.feed import Feed
from kneecascade.training.finish import WEIGHTS_FILE, save_final
from kneecascade.training.heldout import watch
from kneecascade.training.history import Epoch, append_epoch, cut_history, draw_progress
from kneecascade.training.kept import KeptWeights
from kneecascade.training.position import FIRST_ROUND, Position, Round
from kneecascade.training.sampling import GUESSED, Sampling
from kneecascade.training.schedule import Clock, require_steps
from kneecascade.training.step import Stepper, align_state

STATE_FILE = "training_state.safetensors"
logger = logging.getLogger("kneecascade")


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
    this_round: Round = FIRST_ROUND,
) -> None:
    """Trains one round of a stage and writes its weights, see `kept`.

    Args:
        stage: which stage of the plan.
        plan: the whole plan.
        training: cases to train on.
        held_out: cases that are watched; with patience they end the training and select its weights.
        settings: of the run; `resume` goes on from the folder's checkpoint if there is one.
        folder: gets model.safetensors, training_state.safetensors, training.jsonl, progress.png.
        budget_s: seconds the round may take over all its runs; its schedule ends inside them.
        augmentation: what happens to patches how often; None for the default.
        sampling: where patches are drawn.
        this_round: its number, and what it starts from.

    Raises:
        TrainingError: no cases, unreadable patches, or a loss that stays not finite.
        OutOfTimeError: the budget was used up before the round's first step; no weights are written.
        CheckpointError: the checkpoint to go on from does not fit.
    """
    clock = Clock(settings.clock)
    task = Task(stage, plan, settings, folder, budget_s)
    folder.mkdir(parents=True, exist_ok=True)
    bench = set_up(task, training, held_out, augmentation or Augmentation(), sampling)
    run = _Run(task, bench, clock, this_round)
    run.train()
    require_steps(stage, run.steps, run.schedule, clock.elapsed_s() - run.position.first_s)
    run.save()


class _Run:
    """The epochs of one round, from a position to the end of the schedule or of patience."""

    def __init__(self, task: Task, bench: Bench, clock: Clock, this_round: Round) -> None:
        self.task, self.bench, self.clock = task, bench, clock
        self.position, self.kept = self._begin(this_round)
        clock.add(self.position.elapsed_s)
        self.schedule = task.schedule()
        self.stepper = Stepper(bench.network, bench.optimizer, bench.device, self.position.loss_scale)
        self.epochs = cut_history(task.folder, self.position.epoch)
        self.first = (self.position.step, clock.elapsed_s())

    def _begin(self, this_round: Round) -> tuple[Position, KeptWeights]:
        """Fills the network and says where the training stands: anew, in the middle, in another round."""
        task, bench, path = self.task, self.bench, self.task.folder / STATE_FILE
        numbers = load_numbers(path) if task.settings.resume or this_round.start else {}
        before = Position(**numbers)
        if numbers and before.round == this_round.number:
            _, more = load_training_state(path, bench.network, bench.optimizer)
            align_state(bench.optimizer)
            say(f"{task.stage}: going on after epoch {before.epoch}, step {before.step}")
            return before, self._kept(more, before.step - before.first_step)
        if this_round.start is not None:
            load_into(bench.network, this_round.start)
            before = before.next_round(this_round.number)
        return before, self._kept({}, 0)

    def _kept(self, more: dict, updates: int) -> KeptWeights:
        settings = self.task.settings
        kept = KeptWeights(self.bench.network, settings.ema, best=settings.patience is not None)
        kept.load(more, updates)
        return kept

    @property
    def steps(self) -> int:
        """Steps of this round."""
        return self.position.step - self.position.first_step

    def train(self) -> None:
        """Trains to the end; the checkpoint, the record and the picture follow every epoch."""
        task, bench = self.task, self.bench
        seed, first = task.seed(BATCHES), self.position.step
        feed = Feed(bench.source, task.batch_size, seed, first, bench.workers, bench.device.device)
        with feed, progress_bar() as display:
            bar = Bar(display, f"{task.stage} {task.folder.parent.name}")
            while not self._over(self.position.step):
                self._epoch(feed, bar)

    def save(self) -> None:
        """Writes the weights that are kept."""
        words, position = self.kept.choose(self.position.best_epoch), self.position
        regions = save_final(self.task, self.bench, position, words, self.clock.elapsed_s)
        say(
            f"{self.task.stage}: {position.step} steps in {self.clock.elapsed_s():.0f} s, weights of the "
            f"{words}, BatchNorm from {regions} whole regions: {self.task.folder / WEIGHTS_FILE}"
        )

    def _epoch(self, feed: Feed, bar: Bar) -> None:
        start, waited, step, rate = time.monotonic(), feed.waited_s, self.position.step, 0.0
        losses: list[float] = []
        end = step + self.task.settings.iterations_per_epoch
        while step < end and not self._over(step):
            rate = self._rate(step)
            image, labels = feed.next()
            image, labels = self.bench.augmenter(image, labels, (*self.task.seed(CHANGES), step))
            loss = self.stepper(image, labels, rate)
            self.kept.update()
            losses += [] if loss is None else [loss]
            step += 1
            bar.show(step, self._steps_in_all(step), self.epochs, losses)
        with self.kept.shown():
            held_out_loss, dice = watch(
                self.bench.network, self.bench.held_out, self.task.plan.labels.names, self.bench.device
            )
        seconds = time.monotonic() - start
        epoch = Epoch(
            epoch=self.position.epoch + 1,
            step=step,
            learning_rate=rate,
            train_loss=sum(losses) / len(losses) if losses else None,
            held_out_loss=held_out_loss,
            pseudo_dice=dice,
            seconds=round(seconds, 2),
            waiting=round((feed.waited_s - waited) / seconds, 4),
            skipped=step - self.position.step - len(losses),
            round=self.position.round,
        )
        self._move(epoch)
        self._record(replace(epoch, smoothed_dice=self.position.smoothed), told=bar.hidden)

    def _move(self, epoch: Epoch) -> None:
        """Takes the position to the end of an epoch; patience may begin its ramp-down here."""
        settings, before = self.task.settings, self.position
        position = replace(
            before,
            epoch=epoch.epoch,
            step=epoch.step,
            elapsed_s=self.clock.elapsed_s(),
            loss_scale=self.stepper.loss_scale,
        )
        if settings.patience is not None:
            position = position.watched(epoch.dice_of(self.task.plan.targets))
            if position.is_best():
                self.kept.keep()
            left = self._seconds_left(epoch.step) / max(self._seconds_a_step(epoch.step), 1e-6)
            rate, steps = epoch.learning_rate, settings.iterations_per_epoch
            position = position.ramped(settings.patience, steps, rate, left)
            if position.ramp_steps and not before.ramp_steps:
                say(
                    f"{self.task.stage}: no better pseudo-Dice of the targets since epoch "
                    f"{position.best_epoch}; the learning rate falls to 0 over {position.ramp_steps} steps"
                )
        self.position = position

    def _record(self, epoch: Epoch, told: bool) -> None:
        # The checkpoint comes last: what it does not know of is cut from the record on --continue.
        folder = self.task.folder
        self.epochs.append(epoch)
        append_epoch(folder, epoch)
        draw_progress(folder, self.epochs)
        save_training_state(
            folder / STATE_FILE,
            self.bench.network,
            self.bench.optimizer,
            asdict(self.position),
            self.kept.tensors(),
        )
        line = f"{self.task.stage} {epoch.text()}, {self._seconds_left(epoch.step) / 60:.1f} min left"
        if told:
            say(line)
        else:
            logger.info(line)

    def _over(self, step: int) -> bool:
        return self.position.ramp_over(step) or self.schedule.over(*self._in_round(step))

    def _rate(self, step: int) -> float:
        if self.position.ramp_steps:
            return self.position.ramp_rate * self.position.ramp_factor(step)
        return self.schedule.learning_rate(self.schedule.progress(*self._in_round(step)))

    def _in_round(self, step: int) -> tuple[int, float]:
        return step - self.position.first_step, self.clock.elapsed_s() - self.position.first_s

    def _steps_in_all(self, step: int) -> int:
        return step + round(self._seconds_left(step) / max(self._seconds_a_step(step), 1e-6))

    def _seconds_a_step(self, step: int) -> float:
        step_before, elapsed_before = self.first
        return (self.clock.elapsed_s() - elapsed_before) / max(1, step - step_before)

    def _seconds_left(self, step: int) -> float:
        each = self._seconds_a_step(step)
        left = self.schedule.seconds_left(*self._in_round(step), each)
        if self.position.ramp_steps:
            left = min(left, each * (self.position.ramp_step + self.position.ramp_steps - step))
        return left
