"""Segments new images with a trained model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.console import say, show_table, tracked, warn
from kneecascade.core.case import Volume
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import PredictSettings
from kneecascade.errors import SettingsError
from kneecascade.files import write_json
from kneecascade.imaging.files import read_volume, write_labels
from kneecascade.inference.cascade import Cascade, CascadeResult, load_cascade
from kneecascade.inference.stage import Limits
from kneecascade.network.device import tune_allocator
from kneecascade.pipeline.drawing import draw_result
from kneecascade.pipeline.images import Job, find_jobs
from kneecascade.planning.plan_file import plan_hash

Record = dict[str, Any]
SHOWN_FLAGS = 2
"""Flags of a case in the table; predictions.json has them all."""


def predict_images(
    model_folder: Path,
    inputs: Path,
    output: Path,
    folds: Sequence[int] | None = None,
    settings: PredictSettings | None = None,
) -> int:
    """Segments a folder of images or one image; results lie on the images' exact grids.

    Writes a label file an image and predictions.json, pictures if asked for. An image that cannot be
    segmented gets a warning and its error in predictions.json; the others go on.

    Args:
        model_folder: results/Dataset001_Name.
        inputs: a folder of images, or one image.
        output: a folder, or a file name where `inputs` is one image.
        folds: numbers of the folds; None for every trained one.
        settings: None for the defaults.

    Returns:
        How many images failed.

    Raises:
        KneecascadeError: the model or the inputs cannot be used at all.
    """
    tune_allocator()
    settings = settings or PredictSettings()
    cascade = load_cascade(model_folder, folds, settings.device, limits_of(settings))
    plan = cascade.plan
    jobs = find_jobs(inputs, output, len(plan.channel_names), plan.file_ending)
    folder = jobs[0].output.parent
    say(f"{len(jobs)} images, {plan.dataset_name} {' '.join(cascade.folds)}, {cascade.device.description}")
    _say_overwritten(jobs)
    records: dict[str, Record] = {}
    head = _head(model_folder, cascade, settings)
    for job, read in tracked(_read_ahead(jobs), "predicting", len(jobs)):
        records[job.case.name] = _attempt(job, read, cascade, settings)
        write_json(folder / "predictions.json", {**head, "cases": records})
    return _conclude(records, folder)


def limits_of(settings: PredictSettings) -> Limits:
    """Returns the memory limits of a run.

    Raises:
        SettingsError: they cannot be used.
    """
    if not 0 < settings.step_size <= 1:
        raise SettingsError(f"step size {settings.step_size}: must be above 0 and at most 1")
    if settings.memory_limit_gb < 0:
        raise SettingsError(f"memory limit {settings.memory_limit_gb} GB: must not be negative")
    return Limits(settings.memory_limit_gb, settings.step_size)


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
        },
        "flags": result.flags,
        "volumes_ml": {name: round(ml, 4) for name, ml in result.volumes_ml.items()},
        "seconds": result.seconds,
    }


def _timed_read(job: Job) -> tuple[Volume, float]:
    start = time.perf_counter()
    return read_volume(job.case.images), time.perf_counter() - start


def _read_ahead(jobs: Sequence[Job]) -> Iterator[tuple[Job, Future[tuple[Volume, float]]]]:
    """Yields each job with its image, while the next image is being read."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(_timed_read, jobs[0])
        for k, job in enumerate(jobs):
            current = following
            if k + 1 < len(jobs):
                following = reader.submit(_timed_read, jobs[k + 1])
            yield job, current


def _attempt(
    job: Job, read: Future[tuple[Volume, float]], cascade: Cascade, settings: PredictSettings
) -> Record:
    """Returns the record of a case, or its error: no image may stop the others."""
    try:
        volume, seconds = read.result()
        return _predict_one(job, volume, round(seconds, 3), cascade, settings)
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        warn(f"{job.case.name}: not segmented: {message}")
        return {"file": str(job.output), "error": message}


def _predict_one(
    job: Job, volume: Volume, read_seconds: float, cascade: Cascade, settings: PredictSettings
) -> Record:
    start = time.perf_counter()
    name, folder = job.case.name, job.output.parent
    result = cascade.predict(volume, name, coarse_alone=settings.save_coarse)
    written = time.perf_counter()
    write_labels(result.labels, job.output)
    if result.coarse_labels is not None:
        write_labels(result.coarse_labels, folder / "coarse" / job.output.name)
    steps = {"read": read_seconds, **result.seconds, "write": _since(written)}
    if settings.pictures:
        drawn = time.perf_counter()
        title = f"{name}  {'; '.join(result.flags)}"
        draw_result(folder / "pictures" / f"{name}.png", volume, result.labels, cascade.plan, title)
        steps["pictures"] = _since(drawn)
    # Reading runs beside the previous image's networks, so it is no part of the total.
    steps["total"] = _since(start)
    images = [str(path.resolve()) for path in job.case.images]
    return {"file": str(job.output), "images": images, **case_record(result), "seconds": steps}


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)


def _head(model_folder: Path, cascade: Cascade, settings: PredictSettings) -> Record:
    plan: CascadePlan = cascade.plan
    return {
        "kneecascade": kneecascade.__version__,
        "model": {
            "folder": str(model_folder),
            "folds": cascade.folds,
            "dataset": plan.dataset_name,
            "plan_version": plan.version,
            "plan_hash": plan_hash(plan),
            "data_hash": plan.data_hash,
        },
        "labels": dict(zip(plan.labels.names, plan.labels.values, strict=True)),
        "settings": to_plain(settings),
        "device": cascade.device.description,
    }


def _say_overwritten(jobs: Sequence[Job]) -> None:
    there = sum(job.output.exists() for job in jobs)
    if there:
        say(f"{there} results are there already and will be overwritten")


def _conclude(records: dict[str, Record], folder: Path) -> int:
    """Prints the table; returns how many images failed."""
    _show(records)
    failed = sum("error" in record for record in records.values())
    say(f"{len(records) - failed} of {len(records)} images segmented: {folder}")
    return failed


def _few(flags: Sequence[str]) -> str:
    more = len(flags) - SHOWN_FLAGS
    shown = [*flags[:SHOWN_FLAGS], *([f"and {more} more"] if more > 0 else [])]
    return "\n".join(shown)


def _show(records: dict[str, Record]) -> None:
    rows = []
    for name, record in records.items():
        if "error" in record:
            rows.append([name, "-", "-", f"failed: {record['error']}"])
            continue
        region, flags = record["region"], _few(record["flags"])
        share = "whole" if region["whole"] else f"{100 * region['fraction']:.0f} %"
        rows.append([name, f"{record['seconds']['total']:.1f}", share, flags])
    show_table("Predictions", ["case", "seconds", "region", "flags"], rows)
