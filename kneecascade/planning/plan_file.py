"""Reads and writes plan.json; a broken edit is refused with the field named."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

from kneecascade.core.plan import CascadePlan, MedicalNetPlan, ResUNetPlan, StagePlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.errors import InputError, PlanError
from kneecascade.files import read_json, write_json
from kneecascade.planning.memory import MEDICALNET_BLOCKS
from kneecascade.planning.plan_bounds import Check, check_bounds
from kneecascade.planning.plan_intensities import check_intensities
from kneecascade.planning.topology import total_stride

MOST_CLASSES = 255
MOST_VOXELS = 10**9
MOST_LEVELS = 10
MOST_BRANCHES = 16


def write_plan(plan: CascadePlan, file: Path) -> None:
    """Writes plan.json, readable and whole or not at all."""
    write_json(file, to_plain(plan))


def read_plan(file: Path) -> CascadePlan:
    """Reads plan.json and checks every field, alone and against the others.

    Raises:
        PlanError: the file is missing, no JSON, or a field is missing, unknown, of the wrong type,
            or contradicts another; the message names the field.
    """
    try:
        plan = from_plain(CascadePlan, read_json(file))
    except (InputError, ValueError) as error:
        text = str(error)
        raise PlanError(text if text.startswith(str(file)) else f"{file}: {text}") from error
    check_plan(plan, str(file))
    return plan


def check_plan(plan: CascadePlan, where: str = "plan") -> None:
    """Checks that the plan's fields fit each other.

    Args:
        plan: of the right types already.
        where: put in front of the message.

    Raises:
        PlanError: names the first field that does not fit, and why.
    """
    for holds, field, wanted in _checks(plan):
        if not holds:
            raise PlanError(f"{where}: {field}: {wanted}")


def plan_hash(plan: CascadePlan) -> str:
    """Returns a hash of the whole plan, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(to_plain(plan)).encode()).hexdigest()[:16]


def _checks(plan: CascadePlan) -> Iterator[Check]:
    yield from check_bounds(plan)
    names, values = plan.labels.names, plan.labels.values
    for field, texts in (("labels.names", names), ("channel_names", plan.channel_names)):
        yield all(text and text.isprintable() for text in texts), field, "must be printable text"
    for field in ("version", "dataset_name", "data_hash"):
        yield getattr(plan, field).isprintable(), field, "must be printable text"
    yield len(names) == len(values), "labels.values", f"{len(names)} names need as many values"
    yield names[:1] == ("background",) and values[:1] == (0,), "labels", "background, 0 must come first"
    yield (
        2 <= len(names) <= MOST_CLASSES,
        "labels.names",
        f"there must be 2 to {MOST_CLASSES} with background",
    )
    yield _all_differ(values), "labels.values", "two labels have the same value"
    yield _all_differ(names), "labels.names", "two labels have the same name"
    yield bool(plan.channel_names), "channel_names", "there must be a channel"
    ending = re.fullmatch(r"(\.\w+)+", plan.file_ending) is not None
    yield ending, "file_ending", "must start with a dot, like .nii.gz"
    yield bool(plan.targets), "targets", "there must be a target"
    yield set(plan.targets) <= set(names[1:]), "targets", f"must be among {', '.join(names[1:])}"
    yield _all_differ(plan.targets), "targets", "a label is there twice"
    channels = len(plan.channel_names)
    yield len(plan.normalization) == channels, "normalization", f"needs {channels}, one a channel"
    yield from check_intensities(plan)
    yield _all_differ(plan.mirror_axes), "mirror_axes", "an axis is there twice"
    count = len(names)
    yield len(plan.colors) in (0, count), "colors", f"needs {count} colours, one a label, or none"
    parts = [part for color in plan.colors for part in color]
    yield all(0 <= part <= 255 for part in parts), "colors", "must be from 0 to 255"
    yield from _region(plan)
    yield from _stage(plan, plan.coarse, "coarse")
    yield from _stage(plan, plan.fine, "fine")
    yield plan.coarse.network.kind == "resunet", "coarse.network.kind", "must be resunet"
    pairs = zip(plan.coarse.spacing_mm, plan.fine.spacing_mm, strict=True)
    finer = all(coarse >= 0.999 * fine for coarse, fine in pairs)
    yield finer, "coarse.spacing_mm", "must not be finer than fine.spacing_mm"


def _all_differ(values: tuple[object, ...]) -> bool:
    return len(set(values)) == len(values)


def _region(plan: CascadePlan) -> Iterator[Check]:
    region, count = plan.region, len(plan.targets)
    for field in ("min_component_mm3", "min_volume_mm3", "max_volume_mm3"):
        values = getattr(region, field)
        yield len(values) == count, f"region.{field}", f"needs {count} values, one a target"
    volumes = zip(region.min_volume_mm3, region.max_volume_mm3, strict=True)
    yield all(a <= b for a, b in volumes), "region.max_volume_mm3", "must not be below min_volume_mm3"
    extents = zip(region.min_extent_mm, region.max_extent_mm, strict=True)
    yield all(a <= b for a, b in extents), "region.max_extent_mm", "must not be below min_extent_mm"
    limits = len(region.max_label_extent_mm)
    yield limits in (0, count), "region.max_label_extent_mm", "needs one value a target"
    yield len(region.min_gap_mm) in (0, 6), "region.min_gap_mm", "needs 6 values, one a side, or none"


def _stage(plan: CascadePlan, stage: StagePlan, name: str) -> Iterator[Check]:
    network, patch = stage.network, stage.patch_shape_zyx
    yield prod(patch) <= MOST_VOXELS, f"{name}.patch_shape_zyx", f"must hold at most {MOST_VOXELS:g} voxels"
    known = set(stage.thin_labels) <= set(plan.labels.foreground)
    yield known, f"{name}.thin_labels", f"must be among {', '.join(plan.labels.foreground)}"
    where = f"{name}.network"
    channels, classes = len(plan.channel_names), plan.labels.count
    yield network.in_channels == channels, f"{where}.in_channels", f"must be {channels}, as channel_names"
    yield network.num_classes == classes, f"{where}.num_classes", f"must be {classes}, as labels"
    yield from _resunet(network, where) if network.kind == "resunet" else _medicalnet(network, where)
    stride = total_stride(network)
    whole = all(n % step == 0 for n, step in zip(patch, stride, strict=True))
    yield whole, f"{name}.patch_shape_zyx", f"must be divisible by the network's stride {stride}"


def _resunet(network: ResUNetPlan, where: str) -> Iterator[Check]:
    levels = len(network.features)
    yield 1 <= levels <= MOST_LEVELS, f"{where}.features", f"there must be 1 to {MOST_LEVELS} levels"
    for field in ("strides", "kernels", "blocks"):
        count = len(getattr(network, field))
        yield count == levels, f"{where}.{field}", f"needs {levels} entries, one a level of features"
    yield network.strides[0] == (1, 1, 1), f"{where}.strides[0]", "must be [1, 1, 1]"
    odd = all(k % 2 for kernel in network.kernels for k in kernel)
    yield odd, f"{where}.kernels", "must be odd"


def _medicalnet(network: MedicalNetPlan, where: str) -> Iterator[Check]:
    depths = ", ".join(map(str, MEDICALNET_BLOCKS))
    yield network.depth in MEDICALNET_BLOCKS, f"{where}.depth", f"must be one of {depths}"
    branches = len(network.aspp_rates)
    yield (
        1 <= branches <= MOST_BRANCHES,
        f"{where}.aspp_rates",
        f"there must be 1 to {MOST_BRANCHES} branches",
    )
