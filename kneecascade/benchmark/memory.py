"""The planner's memory estimate beside measured peaks of training steps, over ten plans."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from kneecascade.benchmark.memory_plans import ten_plans
from kneecascade.console import say, show_table, tracked
from kneecascade.core.plan import StagePlan
from kneecascade.core.settings import DeviceName, Stage
from kneecascade.files import write_json
from kneecascade.training.peak import train_and_measure

STEPS = 2


@dataclass(frozen=True)
class MemoryRow:
    """One stage of one plan.

    Attributes:
        plan: name of the made-up data set.
        stage: of its plan.
        patch_shape_zyx: training patch.
        batch_size: patches a step.
        estimated_gb: by the planner, the process and its libraries included.
        measured_gb: peak of the process' resident memory, or of the GPU's memory that torch holds.
    """

    plan: str
    stage: Stage
    patch_shape_zyx: tuple[int, int, int]
    batch_size: int
    estimated_gb: float
    measured_gb: float

    @property
    def error(self) -> float:
        """Estimate over measurement, less 1."""
        return self.estimated_gb / self.measured_gb - 1


def benchmark_memory(output: Path, device: DeviceName = "auto") -> list[MemoryRow]:
    """Trains two steps of both stages of ten plans, each in a process of its own; prints the errors.

    Args:
        output: JSON file with every row.
        device: where to train.

    Raises:
        SettingsError: there is no such device.
    """
    stages = [
        (name, stage, part)
        for name, plan in ten_plans()
        for stage, part in (("coarse", plan.coarse), ("fine", plan.fine))
    ]
    rows: list[MemoryRow] = []
    where = ""
    for name, stage, part in tracked(stages, "measuring", len(stages)):
        peak, where = in_own_process(part, device)
        kind: Stage = "coarse" if stage == "coarse" else "fine"
        estimate = part.estimated_memory_gb
        rows.append(MemoryRow(name, kind, part.patch_shape_zyx, part.batch_size, estimate, round(peak, 3)))
        write_json(output, {"device": where, "steps": STEPS, "rows": [vars(row) for row in rows]})
    _show(rows, where)
    return rows


def in_own_process(stage: StagePlan, device: DeviceName) -> tuple[float, str]:
    """Returns the peak of two training steps in GB, and what they ran on."""
    # spawned, since a forked process would begin with what this one holds
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(train_and_measure, stage, device, STEPS).result()


def _show(rows: list[MemoryRow], where: str) -> None:
    header = ["plan", "stage", "patch", "batch", "estimated GB", "measured GB", "error"]
    table = [
        [
            row.plan,
            row.stage,
            "x".join(map(str, row.patch_shape_zyx)),
            str(row.batch_size),
            f"{row.estimated_gb:.2f}",
            f"{row.measured_gb:.2f}",
            f"{100 * row.error:+.0f} %",
        ]
        for row in rows
    ]
    show_table(f"Peak of training, {where}", header, table)
    errors = [row.error for row in rows]
    middle = median(abs(error) for error in errors)
    say(
        f"estimate over measurement: {100 * min(errors):+.0f} to {100 * max(errors):+.0f} %, "
        f"median of the errors' size {100 * middle:.0f} %"
    )
