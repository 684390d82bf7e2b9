"""A fold before its training: its cases, whether it may start, its folder and its record."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import kneecascade
from kneecascade.console import say
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import Stage, TrainSettings
from kneecascade.errors import InputError, PlanError, SettingsError
from kneecascade.files import write_json
from kneecascade.network.build import build_network
from kneecascade.network.device import choose_device
from kneecascade.network.fine import FineNet
from kneecascade.network.pretrained import load_medicalnet, medicalnet_depth_of
from kneecascade.network.warm_start import own_weights_file, start_from
from kneecascade.pipeline.coarse_errors import read_coarse_errors
from kneecascade.pipeline.margin import as_planned
from kneecascade.planning.folds import Split
from kneecascade.planning.plan_file import plan_hash, read_plan, write_plan
from kneecascade.planning.planner import widen_to_pretrained
from kneecascade.planning.processes import default_workers, map_in_threads
from kneecascade.preprocessing.store import case_key, is_current
from kneecascade.training.cases import stage_plan
from kneecascade.training.finish import WEIGHTS_FILE
from kneecascade.training.loop import STATE_FILE
from kneecascade.workspace import PLAN

STAGES: tuple[Stage, Stage] = ("coarse", "fine")


@dataclass(frozen=True)
class Fold:
    """One fold to train.

    Attributes:
        number: of the fold.
        folder: results/Dataset001_Name/fold_N.
        training: names of the cases to train on.
        held_out: cases that are only scored.
        licence: of the data, which goes with the model; "" where dataset.json tells none.
    """

    number: int
    folder: Path
    training: tuple[str, ...]
    held_out: tuple[Case, ...]
    licence: str = ""


def choose_folds(raw: Dataset, splits: list[Split], folds: Sequence[int] | None, results: Path) -> list[Fold]:
    """Returns the folds of these numbers; None for all.

    Raises:
        SettingsError: there is no such fold.
    """
    cases = {case.name: case for case in raw.training}
    chosen = []
    for number in range(len(splits)) if folds is None else folds:
        if not 0 <= number < len(splits):
            raise SettingsError(f"fold {number}: there are folds 0 to {len(splits) - 1}")
        split = splits[number]
        held_out = tuple(cases[name] for name in split["val"])
        folder = results / f"fold_{number}"
        chosen.append(Fold(number, folder, tuple(split["train"]), held_out, raw.licence))
    return chosen


def check_store(raw: Dataset, plan: CascadePlan, store: Path) -> None:
    """Checks that every training case is prepared from the files and by the plan there are now.

    Raises:
        InputError: one is not.
    """
    keys = map_in_threads(partial(case_key, plan=plan), raw.training, default_workers(), "Reading files")
    stale = [c.name for c, key in zip(raw.training, keys, strict=True) if not is_current(store, c.name, key)]
    if stale:
        raise InputError(
            f"{store}: {len(stale)} cases are not prepared, or data or plan have changed since, the first "
            f"is {stale[0]}; run kc_plan_and_preprocess -d {raw.identifier}"
        )


def start_folds(folds: Sequence[Fold], plan: CascadePlan, settings: TrainSettings) -> list[CascadePlan]:
    """Makes the folds' folders ready and returns the plan each is trained by.

    Nothing is deleted before everything is checked: the device, the pretrained weights, every fold. A fold
    that was begun keeps its fine network when it goes on; everything else must be as planned.

    Raises:
        SettingsError: no such device, a fold was trained already, or --overwrite would delete what
            --pretrained names.
        CheckpointError: the pretrained weights cannot be read or do not fit.
        PlanError: a fold was begun with another plan.
    """
    choose_device(settings.device)
    plan = _with_pretrained(plan, settings)
    plans = [_plan_of(fold, plan, settings) for fold in folds]
    doomed = [folder for fold in folds for folder in _overwritten(fold, settings)]
    if settings.pretrained:
        _check_pretrained(settings.pretrained, plan, settings.stages, doomed)
    for folder in doomed:
        shutil.rmtree(folder)
    if settings.overwrite or not settings.resume:
        for fold in folds:
            shutil.rmtree(fold.folder / "validation", ignore_errors=True)
    return plans


def write_run(fold: Fold, plan: CascadePlan, settings: TrainSettings) -> None:
    """Writes plan.json and run.json of the fold."""
    write_plan(plan, fold.folder / PLAN)
    record = {
        "version": kneecascade.__version__,
        "fold": fold.number,
        "plan_hash": plan_hash(plan),
        "data_hash": plan.data_hash,
        "data_licence": fold.licence,
        "seed": settings.seed,
        "settings": to_plain(settings),
        "training": list(fold.training),
        "held_out": [case.name for case in fold.held_out],
    }
    write_json(fold.folder / "run.json", record)


def _begun(fold: Fold) -> list[Stage]:
    files = (WEIGHTS_FILE, STATE_FILE)
    return [stage for stage in STAGES if any((fold.folder / stage / name).is_file() for name in files)]


def _overwritten(fold: Fold, settings: TrainSettings) -> list[Path]:
    if not settings.overwrite:
        return []
    return [fold.folder / stage for stage in _begun(fold) if stage in settings.stages]


def _plan_of(fold: Fold, plan: CascadePlan, settings: TrainSettings) -> CascadePlan:
    begun = _begun(fold)
    again = [stage for stage in settings.stages if stage in begun]
    if again and not settings.resume and not settings.overwrite:
        raise SettingsError(
            f"{fold.folder}: {' and '.join(again)} trained already; --continue goes on, "
            "--overwrite starts anew"
        )
    kept = [stage for stage in begun if not (settings.overwrite and stage in again)]
    if not kept:
        return plan
    before = as_planned(read_plan(fold.folder / PLAN), read_coarse_errors(fold.folder))
    if _without_fine_network(before) != _without_fine_network(plan):
        raise PlanError(
            f"{fold.folder}: was begun with another plan than {plan.dataset_name} has now; "
            "--overwrite starts both stages anew"
        )
    return before if "fine" in kept else plan


def _without_fine_network(plan: CascadePlan) -> CascadePlan:
    fine = replace(plan.fine, network=plan.coarse.network, estimated_memory_gb=0.0)
    # what was only measured or estimated decides nothing
    coarse = replace(plan.coarse, estimated_memory_gb=0.0)
    return replace(plan, coarse=coarse, fine=fine, denoise_seconds=0.0)


def _with_pretrained(plan: CascadePlan, settings: TrainSettings) -> CascadePlan:
    if not settings.pretrained:
        return plan
    if Path(settings.pretrained).is_dir():
        return _as_wide_as(plan, Path(settings.pretrained))
    widened = widen_to_pretrained(plan, medicalnet_depth_of(settings.pretrained))
    old, new = plan.fine.network, widened.fine.network
    if old != new and old.kind == new.kind == "medicalnet_aspp":
        say(
            f"fine: MedicalNet-{new.depth} of width {new.width} as in {Path(settings.pretrained).name}, "
            f"instead of {old.depth} of width {old.width}; about {widened.fine.estimated_memory_gb:.1f} GB"
        )
    return widened


def _as_wide_as(plan: CascadePlan, source: Path) -> CascadePlan:
    """Returns the plan with the fine encoder as wide as that of a model trained here."""
    file = own_weights_file(source, "fine")
    theirs = read_plan(file.parents[1] / PLAN).fine.network if file else plan.fine.network
    ours = plan.fine.network
    if ours.kind != "medicalnet_aspp" or theirs.kind != "medicalnet_aspp" or ours.width == theirs.width:
        return plan
    say(f"fine: width {theirs.width} as in {source.name}, instead of {ours.width}")
    network = replace(ours, width=theirs.width, aspp_channels=theirs.aspp_channels)
    return replace(plan, fine=replace(plan.fine, network=network))


def _check_pretrained(
    source: str, plan: CascadePlan, stages: Sequence[Stage], doomed: Sequence[Path]
) -> None:
    """Loads the weights into networks that are thrown away; refuses weights that are to be deleted."""
    for stage in stages:
        own = own_weights_file(source, stage)
        network = build_network(stage_plan(plan, stage).network)
        if own is None:
            if isinstance(network, FineNet):
                load_medicalnet(network.encoder, source)
            continue
        if any(folder.resolve() in own.resolve().parents for folder in doomed):
            raise SettingsError(
                f"{own}: --overwrite would delete the weights that --pretrained names; copy the fold's "
                "folder and give the copy"
            )
        start_from(network, own)
