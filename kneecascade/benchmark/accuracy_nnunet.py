"""nnU-Net v2 within a budget: its own plan and trainer, as many epochs as the budget holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneecascade.benchmark.accuracy_ground import Ground
from kneecascade.benchmark.accuracy_ours import Budget
from kneecascade.benchmark.speed_process import Run, run_measured
from kneecascade.console import say
from kneecascade.files import read_json, write_json
from kneecascade.planning.processes import default_workers

SCRIPT = Path(__file__).with_name("accuracy_peer.py")
CONFIGURATION = "3d_fullres"
DEFAULT_GB = 8.0
EPOCHS = 20
"""Its learning rate falls from epoch to epoch, so a short schedule needs some."""
FEWEST_ITERATIONS, MOST_ITERATIONS = 3, 250
"""Of an epoch: shorter ones would spend the budget on validation; 250 is its own length."""
VALIDATION_SHARE = 0.04
"""Validation steps over training steps; its own fifth would cost it training time."""
CALIBRATED = 4
SAFE = 0.96
"""Share of the budget that is planned, since steps do not all take the same time."""
SMALLEST_GB = 1.0

Record = dict[str, Any]


class PeerRun:
    """One run of nnU-Net in a folder.

    Args:
        folder: gets the trained model and predictions.
        ground: shared by all runs.
        python: interpreter of its environment.
        raw: folder of raw data sets.
        shared: gets what its runs share, the preprocessed data.
        budget: of the run.
    """

    def __init__(
        self, folder: Path, ground: Ground, python: Path, raw: Path, shared: Path, budget: Budget
    ) -> None:
        self.folder, self.ground, self.python, self.budget = folder, ground, python, budget
        self.raw, self.preprocessed = raw, shared / "preprocessed"
        self.name = ground.raw.name
        self.plans = self._plans_name()

    def train(self) -> Record:
        """Plans, prepares, calibrates and trains; returns steps and seconds."""
        self._prepare()
        file = self.folder / "schedule.json"
        if not file.is_file():
            speed = self._script("calibrate", self.plans, str(CALIBRATED))[1]
            write_json(file, schedule(speed, self.budget.seconds, self.budget.clock))
        plan = read_json(file)
        say(f"nnU-Net: {plan['epochs']} epochs of {plan['iterations']} steps fit the budget")
        counts = [str(plan[key]) for key in ("epochs", "iterations", "validation")]
        run, found = self._script("train", self.plans, *counts, str(self.budget.seed))
        return {
            "steps": {CONFIGURATION: plan["epochs"] * plan["iterations"]},
            "seconds": {
                CONFIGURATION: found["processor_s" if self.budget.clock == "processor" else "wall_s"]
            },
            "schedule": plan,
            "with_start_s": run.seconds,
            **found,
        }

    def predict(self, images: Path) -> Record:
        """Predicts the scored cases; returns seconds and multiply-adds a case."""
        output = self.folder / "predictions"
        arguments = ["-i", str(images), "-o", str(output), "-d", self.name, "-c", CONFIGURATION, "-f", "0"]
        arguments += ["-p", self.plans, "-npp", "1", "-nps", "1", "-device", self._device()]
        arguments += [] if self.budget.tta else ["--disable_tta"]
        run, found = self._script("predict", *arguments)
        cases = len(self.ground.scored)
        return {
            "seconds_a_case": run.seconds / cases,
            "gmacs_a_case": found["macs"] / 1e9 / cases,
            "tiles_a_case": found["tiles"] / cases,
        }

    def _prepare(self) -> None:
        target = self.preprocessed / self.name
        done = target / f"{self.plans}.done"
        if done.is_file():
            return
        workers, number = str(default_workers()), str(self.ground.raw.identifier)
        command = str(self.python.with_name("nnUNetv2_plan_and_preprocess"))
        arguments = ["-d", number, "-c", CONFIGURATION, "-np", workers, "-npfp", workers]
        memory = self.ground.plan.memory_gb
        if memory != DEFAULT_GB:
            target_gb = str(max(SMALLEST_GB, memory))
            arguments += ["-gpu_memory_target", target_gb, "-overwrite_plans_name", self.plans]
        places = {**self._places(), "nnUNet_n_proc_DA": workers}
        run_measured([command, *arguments], self.folder / "nnunet.log", places)
        fold = self.ground.fold
        split = {"train": list(fold.training), "val": [case.name for case in fold.held_out]}
        write_json(target / "splits_final.json", [split])
        done.touch()

    def _plans_name(self) -> str:
        memory = self.ground.plan.memory_gb
        return "nnUNetPlans" if memory == DEFAULT_GB else f"nnUNetPlans_{memory:g}G".replace(".", "p")

    def _device(self) -> str:
        return "cuda" if self.budget.device == "auto" and self._has_cuda() else _plain(self.budget.device)

    def _has_cuda(self) -> bool:
        return bool(self._script("about")[1]["cuda"])

    def _script(self, verb: str, *arguments: str) -> tuple[Run, Record]:
        out = self.folder / f"{verb}.json"
        out.unlink(missing_ok=True)
        where = [] if verb in ("about", "predict") else [self.name, self._device()]
        command = [str(self.python), str(SCRIPT), verb, str(out), *where, *arguments]
        run = run_measured(command, self.folder / "nnunet.log", self._places())
        return run, read_json(out)

    def _places(self) -> dict[str, str]:
        # what a step costs must be counted in one process where processor time counts
        loaders = 0 if self.budget.clock == "processor" else default_workers()
        return {
            "nnUNet_raw": str(self.raw),
            "nnUNet_preprocessed": str(self.preprocessed),
            "nnUNet_results": str(self.folder / "model"),
            "nnUNet_n_proc_DA": str(loaders),
        }


def schedule(speed: Record, budget_s: float, clock: str) -> dict[str, int]:
    """Returns epochs, iterations and validation steps an epoch that end inside the budget.

    Args:
        speed: seconds of a training step, a validation step and the rest of an epoch, under the clock's name.
        budget_s: of the training.
        clock: "wall" or "processor".
    """
    step, check, rest = (speed[clock][key] for key in ("step_s", "validation_s", "epoch_s"))
    usable = SAFE * budget_s
    epochs = EPOCHS
    while True:
        iterations = int((usable / epochs - rest - check) / (step + VALIDATION_SHARE * check))
        if iterations <= MOST_ITERATIONS and (iterations >= FEWEST_ITERATIONS or epochs == 1):
            break
        epochs = epochs + 1 if iterations > MOST_ITERATIONS else epochs - 1
    iterations = max(1, iterations)
    return {
        "epochs": epochs,
        "iterations": iterations,
        "validation": max(1, int(VALIDATION_SHARE * iterations)),
    }


def _plain(device: str) -> str:
    return device if device in ("cuda", "mps") else "cpu"
