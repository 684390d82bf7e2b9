"""What one prediction is timed on: an untrained model, an image, the known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kneecascade.benchmark.speed_answers import COARSE_FILE, FINE_FILE
from kneecascade.benchmark.speed_phantoms import link
from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan, StagePlan
from kneecascade.imaging.files import write_channel
from kneecascade.imaging.orientation import canonical_axes
from kneecascade.inference.folds import weights_file
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.transform import prepare, prepare_labels

MARGIN_MM = 6.0
"""The region is then 30 to 33 % of a phantom; of 50 real OAI knees 24 % with 5 mm, 30 % with 8 mm."""


@dataclass(frozen=True)
class Setting:
    """Where the parts of one prediction lie.

    Attributes:
        model: folder with fold_0 and so on.
        images: folder with copies of one image.
        answers: folder for `speed_answers.Answers`.
    """

    model: Path
    images: Path
    answers: Path


def make_setting(
    folder: Path, plan: CascadePlan, knee: tuple[Volume, LabelVolume], folds: int = 1, copies: int = 1
) -> Setting:
    """Writes untrained weights, copies of the image, and the answers for it.

    Args:
        folder: gets it all.
        plan: of the model; its margin becomes MARGIN_MM.
        knee: image and labels.
        folds: folds of the model.
        copies: images.
    """
    image, labels = knee
    setting = Setting(folder / "model", folder / "images", folder / "answers")
    plan = replace(plan, region=replace(plan.region, margin_mm=MARGIN_MM))
    for number in range(folds):
        fold = setting.model / f"fold_{number}"
        save_weights(weights_file(fold, "coarse"), build_network(plan.coarse.network), {})
        save_weights(weights_file(fold, "fine"), build_network(plan.fine.network), {})
        write_plan(plan, fold / "plan.json")
    first = setting.images / "knee_0_0000.nii.gz"
    write_channel(np.rint(image.array[0]).astype(np.int16), image.geometry, first)
    for copy in range(1, copies):
        link(first, setting.images / f"knee_{copy}_0000.nii.gz")
    coarse, fine = prepare_labels(labels, prepare(image, plan, "knee").trace, plan)
    setting.answers.mkdir(parents=True, exist_ok=True)
    np.save(setting.answers / COARSE_FILE, coarse)
    np.save(setting.answers / FINE_FILE, fine)
    return setting


def with_pieces(plan: CascadePlan, labels: LabelVolume, pieces: int) -> tuple[CascadePlan, LabelVolume]:
    """Cuts every label into pieces along the first axis: the same anatomy with more labels.

    Args:
        plan: of the labels as they are, values equal to class indices.
        labels: file values.
        pieces: labels made of each.
    """
    slices = labels.array.shape[0]
    place = (np.arange(slices) * pieces // slices)[:, None, None]
    old = labels.array.astype(np.int16)
    array = np.where(old > 0, (old - 1) * pieces + place + 1, 0).astype(np.int16)
    names = ("background", *_pieces(plan.labels.foreground, pieces))
    old_region, targets = plan.region, _pieces(plan.targets, pieces)
    region = replace(
        old_region,
        min_component_mm3=(0.0,) * len(targets),
        min_volume_mm3=(0.0,) * len(targets),
        max_volume_mm3=tuple(v for v in old_region.max_volume_mm3 for _ in range(pieces)),
        max_label_extent_mm=tuple(v for v in old_region.max_label_extent_mm for _ in range(pieces)),
    )
    more = replace(
        plan,
        labels=Labels(names, tuple(range(len(names)))),
        targets=targets,
        region=region,
        colors=(),
        coarse=_stage_with_pieces(plan.coarse, pieces, len(names)),
        fine=_stage_with_pieces(plan.fine, pieces, len(names)),
    )
    return more, LabelVolume(array, labels.geometry)


def at_spacing_of(plan: CascadePlan, geometry: Geometry) -> CascadePlan:
    """Lets the fine stage work at an image's own spacing; all else stays as it was planned."""
    axes, _ = canonical_axes(geometry)
    z, y, x = (geometry.spacing_mm[axis] for axis in axes)
    return replace(plan, fine=replace(plan.fine, spacing_mm=(z, y, x)))


def _stage_with_pieces(stage: StagePlan, pieces: int, classes: int) -> StagePlan:
    network = replace(stage.network, num_classes=classes)
    return replace(stage, thin_labels=_pieces(stage.thin_labels, pieces), network=network)


def _pieces(names: Sequence[str], pieces: int) -> tuple[str, ...]:
    return tuple(f"{name}_{k + 1}" for name in names for k in range(pieces))
