"""What predictions.json says of a run and its cases; which of them need not be done again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.core.record import to_plain
from kneecascade.core.settings import PredictSettings
from kneecascade.errors import InputError
from kneecascade.files import content_hash, read_json
from kneecascade.inference.cascade import Cascade
from kneecascade.inference.folds import weights_hash
from kneecascade.inference.result import CascadeResult
from kneecascade.pipeline.images import Job
from kneecascade.pipeline.shipped import shipped_name
from kneecascade.planning.plan_file import plan_hash

Record = dict[str, Any]
FILE = "predictions.json"
NO_MATTER = ("device", "backend", "resume", "series")
"""Settings that may differ between the runs of one folder."""


def run_record(model_folder: Path, cascade: Cascade, settings: PredictSettings) -> Record:
    """Returns the head of predictions.json: model, labels, settings, device."""
    plan = cascade.plan
    return {
        "kneecascade": kneecascade.__version__,
        "model": {
            "folder": str(model_folder),
            "shipped": shipped_name(model_folder),
            "folds": list(cascade.folds),
            "dataset": plan.dataset_name,
            "plan_version": plan.version,
            "plan_hash": plan_hash(plan),
            "data_hash": plan.data_hash,
            "weights_hash": weights_hash([model_folder / fold for fold in cascade.folds]),
            "postprocessing": to_plain(cascade.rules),
        },
        "data_licence": data_licence([model_folder / fold for fold in cascade.folds]),
        "labels": dict(zip(plan.labels.names, plan.labels.values, strict=True)),
        "colors": dict(zip(plan.labels.names, plan.label_colors, strict=True)),
        "settings": to_plain(settings),
        "device": cascade.device.description,
    }


def data_licence(folds: Sequence[Path]) -> str:
    """Returns the licence of the data that folds were trained on, as their run.json tells it; "" if none."""
    told = []
    for folder in folds:
        try:
            run = read_json(folder / "run.json")
        except InputError:
            continue
        told.append(str(run.get("data_licence") or "") if isinstance(run, dict) else "")
    return "; ".join(dict.fromkeys(licence for licence in told if licence))


def case_record(result: CascadeResult) -> Record:
    """Returns what is written down about one result."""
    region = result.region
    return {
        "region": {
            "start_zyx": region.box.start_zyx,
            "stop_zyx": region.box.stop_zyx,
            "grid_zyx": result.trace.fine_shape_zyx,
            "fraction": round(region.fraction, 4),
            "whole": region.whole,
            "in_tiles": result.in_tiles,
        },
        "flags": result.flags,
        "dropped_mm3": {name: round(mm3, 2) for name, mm3 in result.dropped_mm3.items()},
        "sureness": to_plain(result.sureness),
        "volumes_ml": {name: round(ml, 4) for name, ml in result.volumes_ml.items()},
        "seconds": result.seconds,
    }


def image_hash(job: Job) -> str:
    """Returns a hash of the image's files with its side; "" where one of them is no plain file."""
    plain = all(path.is_file() for path in job.case.images)
    side = "" if job.case.side == "unknown" else f" {job.case.side}"
    return content_hash(list(job.case.images)) + side if plain else ""


def finished_cases(folder: Path, head: Record, jobs: Sequence[Job]) -> dict[str, Record]:
    """Returns the records of cases that an earlier run finished with the same model, image and settings.

    Args:
        folder: of the results, with predictions.json.
        head: of the run that is starting, as `run_record` returns it.
        jobs: of the run.
    """
    try:
        before = read_json(folder / FILE)
        if _essence(before) != _essence(head):
            return {}
        records = dict(before["cases"])
    except (InputError, KeyError, TypeError, ValueError):
        return {}
    return {job.case.name: records[job.case.name] for job in jobs if _is_finished(job, records)}


def _is_finished(job: Job, records: dict[str, Record]) -> bool:
    record = records.get(job.case.name)
    if not isinstance(record, dict) or "error" in record or not job.output.is_file():
        return False
    key = image_hash(job)
    return (
        bool(key)
        and record.get("image_hash") == key
        and Path(str(record.get("file"))).name == job.output.name
    )


def _essence(head: Record) -> Record:
    """Returns what decides about the results; the model may have moved to another folder."""
    model = {key: value for key, value in head["model"].items() if key not in ("folder", "shipped")}
    settings = {key: value for key, value in head["settings"].items() if key not in NO_MATTER}
    return {"kneecascade": head["kneecascade"], "model": model, "settings": settings}
