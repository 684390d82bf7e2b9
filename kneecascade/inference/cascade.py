"""The trained cascade: coarse look, region, fine look, labels on the grid of the file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import nn

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Box, Int3
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import DeviceName
from kneecascade.core.trace import PreparedCase, Region, Trace
from kneecascade.evaluation.overlap import label_volumes_ml
from kneecascade.inference.folds import one_plan, trained_folds, weights_file
from kneecascade.inference.region import doubtful_volumes, find_region
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.device import Device, choose_device
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.transform import fine_image, prepare, restore, restore_coarse


@dataclass(frozen=True, eq=False)
class CascadeResult:
    """One image, segmented.

    Attributes:
        labels: file values on the grid of the file.
        coarse_labels: the coarse stage alone on the same grid; None unless asked for.
        region: where the fine stage looked.
        trace: how the grids belong together.
        flags: reasons for doubt, the region's included; empty where everything is as in training.
        volumes_ml: volume of every foreground label.
        seconds: wall-clock seconds by step: prepare, coarse, region, fine, restore.
    """

    labels: LabelVolume
    coarse_labels: LabelVolume | None
    region: Region
    trace: Trace
    flags: tuple[str, ...]
    volumes_ml: dict[str, float]
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class Cascade:
    """Networks of one or several folds under one plan.

    Attributes:
        plan: of grids, labels and regions.
        coarse: networks of the coarse stage, one a fold, as `stage.ready` returns them.
        fine: networks of the fine stage, one a fold.
        device: where they lie.
        limits: memory of one forward.
        folds: names of the folds, for the record.
    """

    plan: CascadePlan
    coarse: Sequence[nn.Module]
    fine: Sequence[nn.Module]
    device: Device
    limits: Limits = field(default_factory=Limits)
    folds: tuple[str, ...] = ()

    def predict(self, volume: Volume, name: str = "image", coarse_alone: bool = False) -> CascadeResult:
        """Segments one image.

        Args:
            volume: (C, Z, Y, X) on any grid.
            name: of the case, for messages.
            coarse_alone: restore the coarse stage's labels as well.

        Raises:
            ImageError: the number of channels is not the plan's.
        """
        seconds: dict[str, float] = {}
        with _timed(seconds, "prepare"):
            prepared = prepare(volume, self.plan, name)
        with _timed(seconds, "coarse"):
            coarse = predict_stage(self.coarse, prepared.coarse, self.plan.coarse, self.device, self.limits)
        with _timed(seconds, "region"):
            region = find_region(coarse, prepared.trace, self.plan)
        with _timed(seconds, "fine"):
            fine = self._look_closely(prepared, region)
        with _timed(seconds, "restore"):
            labels = restore(coarse, fine, region, prepared.trace, self.plan)
            alone = restore_coarse(coarse, prepared.trace, self.plan) if coarse_alone else None
            volumes = label_volumes_ml(labels.array, self.plan.labels, labels.geometry.voxel_mm3)
        flags = (*region.flags, *doubtful_volumes(volumes, self.plan, "the fine stage"))
        return CascadeResult(labels, alone, region, prepared.trace, flags, volumes, seconds)

    def _look_closely(self, prepared: PreparedCase, region: Region) -> np.ndarray:
        """Returns the fine stage's probabilities (K, z, y, x) on the region's box."""
        # Fewer voxels than a training patch would leave the network without the context it knows.
        wide = at_least(region.box, self.plan.fine.patch_shape_zyx, prepared.trace.fine_shape_zyx)
        image = fine_image(prepared, wide)
        probabilities = predict_stage(self.fine, image, self.plan.fine, self.device, self.limits)
        if wide == region.box:
            return probabilities
        corners = zip(region.box.start_zyx, wide.start_zyx, region.box.shape_zyx, strict=True)
        inner = tuple(slice(a - low, a - low + n) for a, low, n in corners)
        return probabilities[(slice(None), *inner)]


def load_cascade(
    model_folder: Path | str,
    folds: Sequence[int] | None = None,
    device: DeviceName = "auto",
    limits: Limits | None = None,
) -> Cascade:
    """Loads trained folds of a model; `load_cascade(folder).predict(volume)` segments an image.

    Args:
        model_folder: results/Dataset001_Name, with fold_0 and so on.
        folds: their numbers; None for every trained fold.
        device: where to compute.
        limits: memory of one forward; None for the defaults.

    Raises:
        CheckpointError: a fold is not trained, its weights are broken, or folds do not fit together.
        PlanError: the plan of a fold is broken.
        SettingsError: this machine has no such device.
    """
    return load_folds(trained_folds(Path(model_folder), folds), device, limits)


def load_folds(fold_folders: Sequence[Path], device: DeviceName, limits: Limits | None = None) -> Cascade:
    """Loads the folds in these folders; see `load_cascade`."""
    plans = {folder.name: read_plan(folder / "plan.json") for folder in fold_folders}
    chosen = choose_device(device)
    pairs = list(zip(fold_folders, plans.values(), strict=True))
    return Cascade(
        plan=one_plan(plans),
        coarse=[load_stage(weights_file(f, "coarse"), plan.coarse, chosen) for f, plan in pairs],
        fine=[load_stage(weights_file(f, "fine"), plan.fine, chosen) for f, plan in pairs],
        device=chosen,
        limits=limits or Limits(),
        folds=tuple(plans),
    )


def at_least(box: Box, smallest_zyx: Int3, shape_zyx: Int3) -> Box:
    """Returns the box grown about its centre to a smallest shape, moved to stay inside the grid."""
    starts, stops = [], []
    for a, b, small, n in zip(box.start_zyx, box.stop_zyx, smallest_zyx, shape_zyx, strict=True):
        edge = min(n, max(b - a, small))
        start = min(max(0, a - (edge - (b - a)) // 2), n - edge)
        starts.append(start)
        stops.append(start + edge)
    return Box((starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2]))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 3)
