"""Sends the held-out cases of a fold through its whole cascade and scores them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.allocator import tune_allocator
from kneecascade.console import say, show_table, tracked
from kneecascade.core.case import Case, LabelVolume
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import PredictSettings
from kneecascade.core.trace import Region, Trace
from kneecascade.errors import DatasetError
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.evaluation.report import Statistic, statistic
from kneecascade.files import write_json
from kneecascade.imaging.files import grid_difference, read_labels, read_volume, write_labels
from kneecascade.imaging.orientation import to_canonical
from kneecascade.inference.cascade import Cascade, load_folds
from kneecascade.inference.folds import weights_hash
from kneecascade.pipeline.coarse_errors import read_coarse_errors
from kneecascade.pipeline.drawing import draw_result
from kneecascade.pipeline.margin import left_out_region
from kneecascade.pipeline.other_ways import show_other_ways, try_other_ways
from kneecascade.pipeline.predict import limits_of
from kneecascade.pipeline.prediction_record import case_record
from kneecascade.pipeline.selection import NOTHING, selection
from kneecascade.planning.plan_file import plan_hash
from kneecascade.preprocessing.transform import native_box

Record = dict[str, Any]
PICTURES = 3


def validate_fold(
    fold_folder: Path, cases: Sequence[Case], settings: PredictSettings | None = None
) -> Record:
    """Segments the held-out cases from their raw images, coarse stage to labels, and scores them.

    Writes fold_N/validation: one label file a case, pictures of the worst three, summary.json. What was
    selected on these cases is named beside the scores; recall is that of the margin chosen without the
    scored subject. Some cases are segmented in tiles, and whole, as well.

    Args:
        fold_folder: results/Dataset001_Name/fold_0, both stages trained.
        cases: held-out cases with a reference segmentation.
        settings: None for the defaults.

    Returns:
        The summary as in summary.json.

    Raises:
        DatasetError: there is no case, or one has no reference.
        CheckpointError: a stage is not trained.
    """
    if not cases:
        raise DatasetError(f"{fold_folder}: no held-out case to validate")
    settings = settings or PredictSettings()
    tune_allocator()
    cascade = load_folds([fold_folder], settings.device, limits_of(settings))
    folder = fold_folder / "validation"
    shutil.rmtree(folder, ignore_errors=True)
    errors = read_coarse_errors(fold_folder)
    bar = tracked(cases, "validating", len(cases))
    records = {case.name: _validate_case(case, cascade, folder, errors) for case in bar}
    summary = summarize(records, cascade.plan, selection(fold_folder))
    summary["weights_hash"] = weights_hash([fold_folder])
    for case in _worst(cases, records, cascade.plan):
        _draw(case, cascade, folder, records[case.name])
    show_summary(summary, fold_folder.name)
    summary["other_ways"] = try_other_ways(cascade, cases, records)
    write_json(folder / "summary.json", summary)
    show_other_ways(summary["other_ways"])
    return summary


def region_recall(reference: LabelVolume, region: Region, trace: Trace, plan: CascadePlan) -> float | None:
    """Returns the share of the reference's target voxels inside the region; None where it has none."""
    turned = to_canonical(reference.array, trace.axes_zyx, trace.flips_zyx)
    values = [plan.labels.values[k] for k in plan.labels.indices(plan.targets)]
    mask = np.isin(turned, values)
    total = int(np.count_nonzero(mask))
    inside = int(np.count_nonzero(mask[native_box(region.box, trace).slices]))
    return inside / total if total else None


def summarize(records: Mapping[str, Record], plan: CascadePlan, selected: str = NOTHING) -> Record:
    """Returns means over cases beside the cases themselves.

    Args:
        records: as in summary.json, by case name.
        plan: says the labels.
        selected: what was selected on these cases.
    """

    def dice(stage: str, label: str) -> Statistic:
        return statistic(record["dice"][stage][label] for record in records.values())

    recalls = [record["region_recall"] for record in records.values()]
    seconds = statistic(record["seconds"]["total"] for record in records.values())
    mean = {
        name: {s: to_plain(dice(s, name)) for s in ("coarse", "cascade")} for name in plan.labels.foreground
    }
    return {
        "dataset": plan.dataset_name,
        "plan_hash": plan_hash(plan),
        "selection": selected,
        "dice": mean,
        "region": {
            "recall": to_plain(statistic(recalls)),
            "misses": sum(recall is not None and recall < 1 for recall in recalls),
            "fraction": to_plain(statistic(r["region"]["fraction"] for r in records.values())),
            "margin_mm": plan.region.margin_mm,
            "flagged": sum(bool(record["flags"]) for record in records.values()),
            "whole": sum(record["region"]["whole"] for record in records.values()),
        },
        "seconds": to_plain(seconds),
        "cases": dict(records),
    }


def show_summary(summary: Record, fold: str) -> None:
    """Prints the table of a validation."""
    cases, region = summary["cases"], summary["region"]
    rows = [[name, _shown(d["coarse"]), _shown(d["cascade"])] for name, d in summary["dice"].items()]
    title = f"Dice of {fold} on {len(cases)} held-out cases ({summary['selection']})"
    show_table(title, ["label", "coarse", "cascade"], rows)
    recall = region["recall"]
    if recall["n"]:
        say(
            f"region: margin {region['margin_mm']:.3g} mm, recall {recall['mean']:.4f}, missed something in"
            f" {region['misses']}/{recall['n']}; {100 * region['fraction']['mean']:.0f} % of the image;"
            f" {region['flagged']} flagged,"
            f" {region['whole']} whole; {summary['seconds']['mean']:.1f} s a case"
        )


def _validate_case(case: Case, cascade: Cascade, folder: Path, errors: CoarseErrors | None) -> Record:
    if case.label is None:
        raise DatasetError(f"{case.name}: a held-out case needs a reference segmentation")
    volume, reference = read_volume(case.images), read_labels(case.label)
    difference = grid_difference(volume.geometry, reference.geometry)
    if difference:
        raise DatasetError(f"{case.label}: {difference} differs from the image")
    plan = cascade.plan
    result = cascade.predict(volume, case.name, coarse_alone=True, side=case.side)
    write_labels(result.labels, folder / f"{case.name}{plan.file_ending}")
    found = {"coarse": result.coarse_labels, "cascade": result.labels}
    dice = {
        stage: dice_per_label(reference.array, labels.array, plan.labels)
        for stage, labels in found.items()
        if labels is not None
    }
    record = case_record(result)
    seconds = {**record["seconds"], "total": round(sum(result.seconds.values()), 3)}
    region = left_out_region(errors, case.name, result.region, result.trace, plan)
    recall = region_recall(reference, region, result.trace, plan)
    return {"dice": dice, "region_recall": recall, **record, "seconds": seconds}


def _worst(cases: Sequence[Case], records: Mapping[str, Record], plan: CascadePlan) -> list[Case]:
    def target_dice(case: Case) -> float:
        dice = records[case.name]["dice"]["cascade"]
        mean = statistic(dice[name] for name in plan.targets).mean
        return 1.0 if mean is None else mean

    return sorted(cases, key=target_dice)[:PICTURES]


def _draw(case: Case, cascade: Cascade, folder: Path, record: Record) -> None:
    assert case.label is not None
    labels = read_labels(folder / f"{case.name}{cascade.plan.file_ending}")
    dice = "  ".join(f"{name} {_number(d)}" for name, d in record["dice"]["cascade"].items())
    path = folder / "pictures" / f"{case.name}.png"
    draw_result(
        path, read_volume(case.images), labels, cascade.plan, f"{case.name}  {dice}", read_labels(case.label)
    )


def _shown(dice: Record) -> str:
    if dice["mean"] is None:
        return "-"
    spread = "" if dice["sd"] is None else f" ± {dice['sd']:.3f}"
    return f"{dice['mean']:.3f}{spread} (n {dice['n']})"


def _number(dice: float | None) -> str:
    return "-" if dice is None else f"{dice:.3f}"
