"""Reads and writes plan.json; a broken edit is refused with the field named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from kneecascade.core.plan import CascadePlan, MedicalNetPlan, ResUNetPlan, StagePlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.errors import InputError, PlanError
from kneecascade.files import read_json, write_json
from kneecascade.planning.memory import MEDICALNET_BLOCKS
from kneecascade.planning.plan_intensities import Check, check_intensities
from kneecascade.planning.topology import total_stride


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
    names, values = plan.labels.names, plan.labels.values
    yield len(names) == len(values), "labels.values", f"{len(names)} names need as many values"
    yield names[:1] == ("background",) and values[:1] == (0,), "labels", "background, 0 must come first"
    yield len(names) >= 2, "labels.names", "there must be a label besides background"
    yield len(set(values)) == len(values), "labels.values", "two labels have the same value"
    yield len(set(names)) == len(names), "labels.names", "two labels have the same name"
    yield bool(plan.channel_names), "channel_names", "there must be a channel"
    yield plan.file_ending.startswith("."), "file_ending", "must start with a dot"
    yield bool(plan.targets), "targets", "there must be a target"
    yield set(plan.targets) <= set(names[1:]), "targets", f"must be among {', '.join(names[1:])}"
    yield len(set(plan.targets)) == len(plan.targets), "targets", "a label is there twice"
    channels = len(plan.channel_names)
    yield len(plan.normalization) == channels, "normalization", f"needs {channels}, one a channel"
    yield from check_intensities(plan)
    yield plan.memory_gb > 0, "memory_gb", "must be above 0"
    axes = plan.mirror_axes
    yield set(axes) <= {0, 1, 2}, "mirror_axes", "must be among 0, 1, 2"
    yield len(set(axes)) == len(axes), "mirror_axes", "an axis is there twice"
    yield from _region(plan)
    yield from _stage(plan, plan.coarse, "coarse")
    yield from _stage(plan, plan.fine, "fine")
    yield plan.coarse.network.kind == "resunet", "coarse.network.kind", "must be resunet"
    pairs = zip(plan.coarse.spacing_mm, plan.fine.spacing_mm, strict=True)
    finer = all(coarse >= 0.999 * fine for coarse, fine in pairs)
    yield finer, "coarse.spacing_mm", "must not be finer than fine.spacing_mm"


def _region(plan: CascadePlan) -> Iterator[Check]:
    region, count = plan.region, len(plan.targets)
    yield 0 <= region.margin_mm < 1000, "region.margin_mm", "must be from 0 to 1000"
    for field in ("min_component_mm3", "min_volume_mm3", "max_volume_mm3"):
        values = getattr(region, field)
        yield len(values) == count, f"region.{field}", f"needs {count} values, one a target"
        yield all(value >= 0 for value in values), f"region.{field}", "must not be negative"
    volumes = zip(region.min_volume_mm3, region.max_volume_mm3, strict=True)
    yield all(a <= b for a, b in volumes), "region.max_volume_mm3", "must not be below min_volume_mm3"
    extents = list(zip(region.min_extent_mm, region.max_extent_mm, strict=True))
    yield all(a >= 0 for a, _ in extents), "region.min_extent_mm", "must not be negative"
    yield all(a <= b for a, b in extents), "region.max_extent_mm", "must not be below min_extent_mm"
    yield region.blend_mm >= 0, "region.blend_mm", "must not be negative"
    limits = region.max_label_extent_mm
    yield (
        not limits or len(limits) == len(plan.targets),
        "region.max_label_extent_mm",
        "needs one value a target",
    )
    yield len(region.min_gap_mm) in (0, 6), "region.min_gap_mm", "needs 6 values, one a side, or none"
    yield all(mm >= 0 for mm in region.min_gap_mm), "region.min_gap_mm", "must not be negative"


def _stage(plan: CascadePlan, stage: StagePlan, name: str) -> Iterator[Check]:
    network, patch = stage.network, stage.patch_shape_zyx
    yield all(0 < mm < 1000 for mm in stage.spacing_mm), f"{name}.spacing_mm", "must be above 0"
    yield all(n > 0 for n in patch), f"{name}.patch_shape_zyx", "must be above 0"
    yield stage.batch_size > 0, f"{name}.batch_size", "must be above 0"
    known = set(stage.thin_labels) <= set(plan.labels.foreground)
    yield known, f"{name}.thin_labels", f"must be among {', '.join(plan.labels.foreground)}"
    where = f"{name}.network"
    channels, classes = len(plan.channel_names), plan.labels.count
    yield network.in_channels == channels, f"{where}.in_channels", f"must be {channels}, as channel_names"
    yield network.num_classes == classes, f"{where}.num_classes", f"must be {classes}, as labels"
    small = all(1 <= step <= 4 for stride in network.strides for step in stride)
    yield small, f"{where}.strides", "each must be from 1 to 4"
    yield from _resunet(network, where) if network.kind == "resunet" else _medicalnet(network, where)
    stride = total_stride(network)
    whole = all(n % step == 0 for n, step in zip(patch, stride, strict=True))
    yield whole, f"{name}.patch_shape_zyx", f"must be divisible by the network's stride {stride}"


def _resunet(network: ResUNetPlan, where: str) -> Iterator[Check]:
    levels = len(network.features)
    yield levels >= 1, f"{where}.features", "there must be a level"
    yield all(n > 0 for n in network.features), f"{where}.features", "must be above 0"
    for field in ("strides", "kernels", "blocks"):
        count = len(getattr(network, field))
        yield count == levels, f"{where}.{field}", f"needs {levels} entries, one a level of features"
    yield network.strides[0] == (1, 1, 1), f"{where}.strides[0]", "must be [1, 1, 1]"
    odd = all(k > 0 and k % 2 for kernel in network.kernels for k in kernel)
    yield odd, f"{where}.kernels", "must be odd"
    yield all(n > 0 for n in network.blocks), f"{where}.blocks", "must be above 0"


def _medicalnet(network: MedicalNetPlan, where: str) -> Iterator[Check]:
    depths = ", ".join(map(str, MEDICALNET_BLOCKS))
    yield network.depth in MEDICALNET_BLOCKS, f"{where}.depth", f"must be one of {depths}"
    for field in ("width", "aspp_channels", "stem_features"):
        yield getattr(network, field) > 0, f"{where}.{field}", "must be above 0"
    yield all(n > 0 for n in network.decoder_features), f"{where}.decoder_features", "must be above 0"
    yield all(n > 0 for n in network.dilations), f"{where}.dilations", "must be above 0"
    yield bool(network.aspp_rates), f"{where}.aspp_rates", "there must be a branch"
    rates = [n for rate in network.aspp_rates for n in rate]
    yield all(n > 0 for n in rates), f"{where}.aspp_rates", "must be above 0"
