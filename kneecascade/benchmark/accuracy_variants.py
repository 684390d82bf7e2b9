"""Variants of a plan that are compared: named ones, and free edits of its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import CascadePlan, MedicalNetPlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.core.settings import TrainSettings
from kneecascade.errors import PlanError, SettingsError
from kneecascade.planning.plan_file import check_plan
from kneecascade.planning.topology import resunet_plan, total_stride

Way = Literal["cascade", "coarse", "whole"]
Change = Callable[[CascadePlan], CascadePlan]
PEER = "nnunet"
SMALL_SHARE = 0.7
"""Edges of a small patch over those of the planned one."""
TRAIN_FIELDS = ("learning_rate", "weight_decay", "ema", "coarse_time_share", "iterations_per_epoch")
"""Training settings that a free edit may name, as train.NAME."""


@dataclass(frozen=True)
class Variant:
    """One way to do the job.

    Attributes:
        name: in tables and of its runs.
        way: the cascade, the coarse stage alone, or the fine stage alone on the whole image.
        change: makes its plan of the data set's.
        train: training settings that differ from the defaults.
        words: the edits in words, for the record.
    """

    name: str
    way: Way = "cascade"
    change: Change = lambda plan: plan
    train: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""


def _fine(**edits: Any) -> Change:
    return lambda plan: replace(plan, fine=replace(plan.fine, **edits))


def _fine_network(**edits: Any) -> Change:
    """Returns a change of the fine network where it is a MedicalNet; others have no such field."""

    def change(plan: CascadePlan) -> CascadePlan:
        return replace(plan, fine=replace(plan.fine, network=replace(_medicalnet(plan), **edits)))

    return change


def _medicalnet(plan: CascadePlan) -> MedicalNetPlan:
    network = plan.fine.network
    if network.kind != "medicalnet_aspp":
        raise SettingsError(f"fine.network.kind: is {network.kind}; this variant wants a MedicalNet")
    return network


def _unet(plan: CascadePlan) -> CascadePlan:
    """A U-Net with residual blocks, one a level: about the cost per voxel of the planned fine network."""
    stage = plan.fine
    sizes = (len(plan.channel_names), plan.labels.count)
    network = resunet_plan(stage.patch_shape_zyx, stage.spacing_mm, *sizes)
    network = replace(network, blocks=(1,) * len(network.blocks))
    patch = _rounded(stage.patch_shape_zyx, total_stride(network))
    return replace(plan, fine=replace(stage, network=network, patch_shape_zyx=patch))


def _small_patch(plan: CascadePlan) -> CascadePlan:
    stage = plan.fine
    z, y, x = (round(SMALL_SHARE * n) for n in stage.patch_shape_zyx)
    patch = _rounded((z, y, x), total_stride(stage.network))
    return replace(plan, fine=replace(stage, patch_shape_zyx=patch))


def _rounded(shape_zyx: Int3, stride_zyx: Int3) -> Int3:
    z, y, x = (max(1, round(n / step)) * step for n, step in zip(shape_zyx, stride_zyx, strict=True))
    return (z, y, x)


def _big_batch(plan: CascadePlan) -> CascadePlan:
    return replace(plan, fine=replace(plan.fine, batch_size=2 * plan.fine.batch_size))


NAMED: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("cascade", words="as planned"),
        Variant("coarse_only", "coarse", words="the coarse stage alone"),
        Variant("whole", "whole", words="the fine stage alone, on the whole image"),
        Variant(
            "unet",
            change=_unet,
            words="a U-Net, 16 to 160 channels, one residual block a level, as fine network",
        ),
        Variant("small_patch", change=_small_patch, words="fine patch 0.7 times as long on each axis"),
        Variant("big_batch", change=_big_batch, words="twice the patches a fine step"),
        Variant("width_16", change=_fine_network(width=16, aspp_channels=32), words="MedicalNet width 16"),
        Variant("width_64", change=_fine_network(width=64, aspp_channels=128), words="MedicalNet width 64"),
        Variant("depth_18", change=_fine_network(depth=18), words="MedicalNet-18"),
        Variant("aspp_off", change=_fine_network(aspp_rates=((1, 1, 1),)), words="one 1x1x1 branch for ASPP"),
        Variant(
            "stem_24",
            change=_fine_network(stem_features=24, decoder_features=(24, 32, 64)),
            words="24 channels instead of 16 at full resolution",
        ),
        Variant("no_mirror", change=lambda plan: replace(plan, mirror_axes=()), words="no mirroring"),
        Variant("ema", train={"ema": True}, words="moving average of the weights"),
    )
}


def parse_variants(text: str) -> tuple[Variant, ...]:
    """Reads "cascade,unet,lr_0.01,wide:fine.network.width=48+train.ema=true".

    Names are of `NAMED` or `lr_` with a number; a free one is NAME:FIELD=VALUE, several joined by "+", fields
    as in plan.json or train.NAME, values as in JSON.

    Raises:
        SettingsError: a name is unknown or there twice, or an edit cannot be read.
    """
    parts = [part.strip() for part in _split(text) if part.strip()]
    variants = tuple(_parsed(part) for part in parts)
    names = [variant.name for variant in variants]
    if not names or len(set(names)) < len(names):
        raise SettingsError(f"--variants {text}: name at least one, each once")
    return variants


def _split(text: str) -> list[str]:
    """Splits at commas; one inside brackets belongs to a value."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _parsed(text: str) -> Variant:
    if ":" in text:
        return _free(text)
    rate = re.fullmatch(r"lr_(\d*\.?\d+(?:e-?\d+)?)", text)
    if rate:
        return Variant(text, train={"learning_rate": float(rate[1])}, words=f"peak learning rate {rate[1]}")
    if text not in NAMED:
        raise SettingsError(
            f"--variants {text}: choose among {', '.join(NAMED)}, lr_NUMBER, NAME:FIELD=VALUE"
        )
    return NAMED[text]


def _free(text: str) -> Variant:
    name, _, edits = text.partition(":")
    if not re.fullmatch(r"\w+", name) or name in NAMED or name == PEER:
        raise SettingsError(f"--variants {text}: {name!r} is no new name of letters, digits and _")
    plan_edits: dict[str, Any] = {}
    train: dict[str, Any] = {}
    for edit in edits.split("+"):
        path, sign, value = edit.partition("=")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        if not sign or not path:
            raise SettingsError(f"--variants {text}: {edit!r} is not FIELD=VALUE")
        if path.startswith("train."):
            train[path.removeprefix("train.")] = _train_value(path, read)
        else:
            plan_edits[path] = read
    return Variant(name, change=lambda plan: with_edits(plan, plan_edits, name), train=train, words=edits)


def _train_value(path: str, value: Any) -> Any:
    name = path.removeprefix("train.")
    if name not in TRAIN_FIELDS:
        raise SettingsError(
            f"--variants {path}: choose among {', '.join(f'train.{n}' for n in TRAIN_FIELDS)}"
        )
    kind = {one.name: one.type for one in fields(TrainSettings)}[name]
    wanted = {"bool": (bool,), "int": (int,)}.get(str(kind), (int, float))
    if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted == (bool,)):
        raise SettingsError(f"--variants {path}={value}: expected {kind}")
    return value


def with_edits(plan: CascadePlan, edits: Mapping[str, Any], name: str) -> CascadePlan:
    """Returns the plan with some fields changed, by their dotted path in plan.json.

    Raises:
        SettingsError: there is no such field, or the value does not fit; the message names both.
    """
    plain = to_plain(plan)
    for path, value in edits.items():
        *above, last = path.split(".")
        place = plain
        for part in above:
            place = place.get(part) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise SettingsError(f"--variants {name}: {path}: no such field of plan.json")
        place[last] = value
    try:
        changed = from_plain(CascadePlan, plain)
    except ValueError as error:
        raise SettingsError(f"--variants {name}: {error}") from error
    return changed


def planned(variant: Variant, plan: CascadePlan) -> CascadePlan:
    """Returns the variant's plan.

    Raises:
        SettingsError: the data set's plan cannot be changed so.
    """
    changed = variant.change(plan)
    try:
        check_plan(changed, f"--variants {variant.name}")
    except PlanError as error:
        raise SettingsError(str(error)) from error
    return changed
