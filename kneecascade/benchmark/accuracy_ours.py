"""One variant of kneecascade: trained within a budget, as kc_train does, then predicted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from kneecascade.benchmark.accuracy_alone import predict_alone
from kneecascade.benchmark.accuracy_ground import Ground
from kneecascade.benchmark.accuracy_region import count_misses
from kneecascade.benchmark.accuracy_variants import Variant
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan, StagePlan
from kneecascade.core.settings import ClockName, DeviceName, PredictSettings, Stage, TrainSettings
from kneecascade.errors import CheckpointError
from kneecascade.files import read_json
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import load_metadata
from kneecascade.network.cost import count_cost
from kneecascade.pipeline.budget import SHORTEST_S
from kneecascade.pipeline.coarse_errors import ERRORS, measure_coarse_errors, read_coarse_errors
from kneecascade.pipeline.fold import write_run
from kneecascade.pipeline.margin import with_margin
from kneecascade.pipeline.predict import predict_images
from kneecascade.pipeline.prediction_record import FILE
from kneecascade.pipeline.share_calibration import calibrate_share
from kneecascade.pipeline.volume_calibration import calibrate_volumes
from kneecascade.training.error_model import sampling_from
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import train_stage
from kneecascade.training.sampling import GUESSED, Sampling

Record = dict[str, Any]
STEPS_AN_EPOCH = 100
"""The checkpoint of every epoch is where an interrupted run goes on."""
EVERYWHERE = replace(GUESSED, in_region=0.0)
"""For a fine stage that looks at whole images: patches around targets, else from anywhere."""


@dataclass(frozen=True)
class Budget:
    """What a run may take.

    Attributes:
        seconds: of training, all stages; with a given coarse stage, of the fine one.
        clock: of the wall clock, or computed by the process.
        seed: of everything random.
        device: where to compute.
        coarse: folder of a trained fold whose coarse stage every run shares; None to train one.
        tta: whether predictions are averaged over mirrorings.
    """

    seconds: float
    clock: ClockName = "wall"
    seed: int = 0
    device: DeviceName = "auto"
    coarse: Path | None = None
    tta: bool = False


class OurRun:
    """One run in a folder; what is done there is kept.

    Args:
        folder: gets model/fold_0 and predictions.
        ground: shared by all runs.
        variant: what is special.
        plan: the variant's.
        budget: of the run.
    """

    def __init__(
        self, folder: Path, ground: Ground, variant: Variant, plan: CascadePlan, budget: Budget
    ) -> None:
        self.folder, self.ground, self.variant, self.plan, self.budget = folder, ground, variant, plan, budget
        self.fold = folder / "model" / "fold_0"
        self.settings = replace(
            TrainSettings(seed=budget.seed, device=budget.device, clock=budget.clock, resume=True),
            **{"iterations_per_epoch": STEPS_AN_EPOCH, **variant.train},
        )

    def train(self) -> Record:
        """Trains what the variant has; returns steps and seconds of each stage."""
        fold = replace(self.ground.fold, folder=self.fold)
        write_run(fold, self.plan, self.settings)
        if self.variant.way == "coarse":
            self._train("coarse", self.plan, self.budget.seconds)
        elif self.variant.way == "whole":
            self._train("fine", self.plan, self.budget.seconds, EVERYWHERE)
        else:
            errors = self._coarse_of_cascade()
            plan = with_margin(self.plan, errors)
            write_run(fold, plan, self.settings)
            used = 0.0 if self.budget.coarse else errors.seconds + _seconds(self.fold / "coarse")
            left_s = max(SHORTEST_S, self.budget.seconds - used)
            self._train("fine", plan, left_s, sampling_from(errors, plan))
            self._calibrate(plan, errors)
        stages = {p.parent.name: load_metadata(p) for p in sorted(self.fold.glob(f"*/{WEIGHTS_FILE}"))}
        if self.budget.coarse:  # which took none of this run's time
            stages.pop("coarse")
        return {
            "steps": {stage: int(found["steps"]) for stage, found in stages.items()},
            "seconds": {stage: float(found["seconds"]) for stage, found in stages.items()},
        }

    def _calibrate(self, plan: CascadePlan, errors: CoarseErrors) -> None:
        """Calibrates the output on the held-out cases, as kc_train does, unless those are scored."""
        held_out = {case.name for case in self.ground.fold.held_out}
        if not held_out.isdisjoint(case.name for case in self.ground.scored):
            return
        known = self.fold, plan, errors, self.ground.opened(held_out=True), self.budget.device
        calibrate_volumes(*known)
        calibrate_share(*known)

    def predict(self, images: Path) -> Record:
        """Predicts the scored cases; returns seconds and multiply-adds a case.

        Raises:
            CheckpointError: a case could not be predicted.
        """
        output = self.folder / "predictions"
        start, region = time.perf_counter(), None
        if self.variant.way == "cascade":
            settings = PredictSettings(device=self.budget.device, tta=self.budget.tta, resume=True)
            failed = predict_images(self.fold.parent, images, output, (0,), settings)
            if failed:
                raise CheckpointError(f"{output}: {failed} cases could not be predicted")
            records = read_json(output / FILE)["cases"]
            looks, region = self._looks(records), count_misses(self.ground.scored, records, self.plan)
        else:
            looks = predict_alone(self.fold, self.variant.way, self.ground, output, self.budget.device)
        seconds = (time.perf_counter() - start) / len(self.ground.scored)
        turns = 2 ** len(self.plan.mirror_axes) if self.budget.tta and self.variant.way == "cascade" else 1
        macs = sum(self._macs_a_voxel(stage) * voxels for stage, voxels in looks.items()) * turns
        cost = {"seconds_a_case": seconds, "gmacs_a_case": macs / 1e9, "voxels_a_case": looks}
        return {**cost, "region": region}

    def _coarse_of_cascade(self) -> CoarseErrors:
        """Trains or takes over the coarse stage; returns how it errs on the held-out cases."""
        if self.budget.coarse is None:
            self._train("coarse", self.plan, self.budget.seconds * self.settings.coarse_time_share)
        elif not (self.fold / "coarse" / WEIGHTS_FILE).is_file():
            source = self.budget.coarse / "coarse"
            (self.fold / "coarse").mkdir(parents=True, exist_ok=True)
            for name in (ERRORS, WEIGHTS_FILE):
                if (source / name).is_file():
                    shutil.copy(source / name, self.fold / "coarse" / name)
        known = read_coarse_errors(self.fold)
        if known is not None:
            return known
        held_out = self.ground.opened(held_out=True)
        return measure_coarse_errors(
            self.fold, self.plan, held_out, self.ground.subjects or None, self.budget.device
        )

    def _train(self, stage: Stage, plan: CascadePlan, budget_s: float, sampling: Sampling = GUESSED) -> None:
        folder = self.fold / stage
        if (folder / WEIGHTS_FILE).is_file():
            return
        training, held_out = self.ground.opened(held_out=False), self.ground.opened(held_out=True)
        train_stage(stage, plan, training, held_out, self.settings, folder, budget_s, sampling=sampling)

    def _looks(self, cases: Mapping[str, Any]) -> dict[str, float]:
        """Returns the mean voxels that each stage saw of a case, from predictions.json."""
        coarse = fine = 0.0
        finer = prod(self.plan.fine.spacing_mm) / prod(self.plan.coarse.spacing_mm)
        for case in cases.values():
            region = case["region"]
            ends = zip(region["start_zyx"], region["stop_zyx"], strict=True)
            fine += prod(b - a for a, b in ends) / len(cases)
            coarse += prod(region["grid_zyx"]) * finer / len(cases)
        return {"coarse": coarse, "fine": fine}

    def _macs_a_voxel(self, name: str) -> float:
        stage: StagePlan = self.plan.coarse if name == "coarse" else self.plan.fine
        network = build_network(stage.network).eval()
        return count_cost(network, stage.network.in_channels, stage.patch_shape_zyx).macs_per_voxel


def _seconds(folder: Path) -> float:
    return float(load_metadata(folder / WEIGHTS_FILE)["seconds"])
