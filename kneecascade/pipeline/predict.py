"""Segments new images with a trained model."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from kneecascade.allocator import tune_allocator
from kneecascade.console import console, say, show_table, tracked, warn
from kneecascade.core.case import Volume
from kneecascade.core.plan import CascadePlan
from kneecascade.core.settings import PredictSettings
from kneecascade.errors import ImageError, SettingsError
from kneecascade.files import write_json
from kneecascade.imaging.color_tables import write_color_tables
from kneecascade.imaging.files import read_volume, write_labels
from kneecascade.inference.cascade import Cascade, load_cascade
from kneecascade.inference.sides import side_taken
from kneecascade.inference.stage import Limits
from kneecascade.pipeline.drawing import draw_result
from kneecascade.pipeline.images import Job, check_dicom_seg, find_jobs
from kneecascade.pipeline.postprocessing import POSTPROCESSING, in_words, with_rules
from kneecascade.pipeline.prediction_record import (
    FILE,
    Record,
    case_record,
    finished_cases,
    image_hash,
    run_record,
)
from kneecascade.pipeline.probabilities import save_probabilities
from kneecascade.pipeline.quality import Judge, load_judge, review, show_review
from kneecascade.pipeline.sides import with_sides

Read = tuple[Volume, str, float]
"""An image, its hash, the seconds of reading."""
SHOWN_FLAGS = 2
"""Flags of a case in the table; predictions.json has them all."""


def predict_images(
    model_folder: Path,
    inputs: Path,
    output: Path,
    folds: Sequence[int] | None = None,
    settings: PredictSettings | None = None,
    debug: bool = False,
) -> int:
    """Segments a folder of images, one image or DICOM; results lie on the images' exact grids.

    An image that cannot be segmented gets a warning and its error in predictions.json; the others go on.

    Args:
        model_folder: results/Dataset001_Name.
        inputs: a folder of images, one image, or a folder tree of DICOM.
        output: a folder, or a file name where `inputs` is one image.
        folds: numbers of the folds; None for every trained one.
        settings: None for the defaults.
        debug: show the traceback of what keeps an image from being segmented.

    Returns:
        How many images failed.

    Raises:
        KneecascadeError: the model or the inputs cannot be used at all.
    """
    tune_allocator()
    settings = settings or PredictSettings()
    limits = limits_of(settings)
    cascade = load_cascade(model_folder, folds, settings.device, limits, settings.tta, settings.backend)
    if settings.postprocess:
        cascade = with_rules(cascade, model_folder)
    jobs = _jobs(inputs, output, cascade, settings)
    records = predict_jobs(jobs, cascade, model_folder, settings, debug)
    return _conclude(records, jobs[0].output.parent, cascade.plan)


def predict_jobs(
    jobs: Sequence[Job],
    cascade: Cascade,
    model_folder: Path,
    settings: PredictSettings,
    debug: bool = False,
    what: str = "predicting",
) -> dict[str, Record]:
    """Segments images whose results go to one folder; writes predictions.json there after each.

    Args:
        jobs: at least one.
        cascade: its folds lie in `model_folder`.
        model_folder: results/Dataset001_Name.
        settings: of the run.
        debug: show the traceback of what keeps an image from being segmented.
        what: the name of the progress bar.

    Returns:
        The record of each case, with "error" where it was not segmented.
    """
    folder, head = jobs[0].output.parent, run_record(model_folder, cascade, settings)
    records = finished_cases(folder, head, jobs) if settings.resume else {}
    todo = [job for job in jobs if job.case.name not in records]
    _say_there_already(todo, len(records), settings)
    judge = load_judge(model_folder, cascade.folds)
    for job, read in tracked(_read_ahead(todo), what, len(todo)):
        records[job.case.name] = _attempt(job, read, cascade, settings, judge, debug)
        _write(folder / FILE, head, records)
    return records


def _write(file: Path, head: Record, records: dict[str, Record]) -> None:
    write_json(file, {**head, "review": review(records), "cases": dict(sorted(records.items()))})


def _jobs(inputs: Path, output: Path, cascade: Cascade, settings: PredictSettings) -> list[Job]:
    channels, ending = len(cascade.plan.channel_names), cascade.plan.file_ending
    jobs = find_jobs(inputs, output, channels, ending, settings.series, settings.echo)
    if settings.dicom_seg:
        check_dicom_seg(jobs)
    _say_what(jobs, cascade)
    return with_sides(jobs, inputs, settings.side)


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


def _timed_read(job: Job) -> Read:
    start = time.perf_counter()
    if job.source:
        from kneecascade.dicom.source import read_source  # pydicom is loaded for DICOM alone

        volume = read_source(job.source, one_knee=job.case.side != "unknown")
    else:
        volume = read_volume(job.case.images)
    _require_something(volume)
    return volume, image_hash(job), _since(start)


def _require_something(volume: Volume) -> None:
    """Refuses what no network should be asked about, as planning does."""
    if min(volume.geometry.shape_zyx) < 2:
        raise ImageError("a single slice, expected a 3D image")
    for channel in volume.array:
        if channel.min() == channel.max():
            raise ImageError(f"every voxel is {channel.flat[0]:g}")


def _read_ahead(jobs: Sequence[Job]) -> Iterator[tuple[Job, Future[Read]]]:
    """Yields each job with its image, while the next image is being read."""
    if not jobs:
        return
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(_timed_read, jobs[0])
        for k, job in enumerate(jobs):
            current = following
            if k + 1 < len(jobs):
                following = reader.submit(_timed_read, jobs[k + 1])
            yield job, current


def _attempt(
    job: Job, read: Future[Read], cascade: Cascade, settings: PredictSettings, judge: Judge, debug: bool
) -> Record:
    """Returns the record of a case, or its error: no image may stop the others."""
    try:
        return _predict_one(job, read.result(), cascade, settings, judge)
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        if debug:
            console(stderr=True).print(traceback.format_exc(), markup=False)
        warn(f"{job.case.name}: not segmented: {message}")
        return {"file": str(job.output), "error": message}


def _predict_one(job: Job, read: Read, cascade: Cascade, settings: PredictSettings, judge: Judge) -> Record:
    start = time.perf_counter()
    volume, key, read_seconds = read
    name, folder = job.case.name, job.output.parent
    result = cascade.predict(
        volume,
        name,
        coarse_alone=settings.save_coarse,
        keep_probabilities=settings.save_probabilities,
        side=job.case.side,
        refuse_two=True,
    )
    judged = time.perf_counter()
    side = side_taken(result.trace, cascade.plan, job.case.side)
    verdict = judge.record(volume, result.labels, result.sureness, result.flags, side)
    written = time.perf_counter()
    write_labels(result.labels, job.output)
    if settings.dicom_seg and job.source:
        from kneecascade.pipeline.dicom_images import write_dicom_seg

        write_dicom_seg(result.labels, cascade.plan, job.source, folder / f"{name}.dcm", job.case.side)
    if result.coarse_labels is not None:
        write_labels(result.coarse_labels, folder / "coarse" / job.output.name)
    if settings.save_probabilities:
        save_probabilities(result, cascade.plan, folder / "probabilities", name)
    checks = round(written - judged, 3)
    steps = {"read": read_seconds, **result.seconds, "quality": checks, "write": _since(written)}
    if settings.pictures:
        drawn = time.perf_counter()
        title = f"{name}  {'; '.join(result.flags)}"
        draw_result(folder / "pictures" / f"{name}.png", volume, result.labels, cascade.plan, title)
        steps["pictures"] = _since(drawn)
    # Reading runs beside the previous image's networks, so it is no part of the total.
    steps["total"] = _since(start)
    images = [str(path.resolve()) for path in job.case.images]
    head = {"file": str(job.output), "images": images, "image_hash": key, "side": job.case.side}
    return {**head, **_dicom_record(job), **case_record(result), **verdict, "seconds": steps}


def _dicom_record(job: Job) -> Record:
    if job.source is None:
        return {}
    from kneecascade.dicom.source import source_record

    return {"dicom": source_record(job.source)}


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)


def _say_what(jobs: Sequence[Job], cascade: Cascade) -> None:
    folds = " ".join(cascade.folds)
    say(f"{len(jobs)} images, {cascade.plan.dataset_name} {folds}, {cascade.device.description}")
    if cascade.tta and not cascade.mirror_axes:
        say("--tta: the plan has no axis to mirror; the results are those without it")
    elif cascade.tta:
        say(f"--tta: {2 ** len(cascade.mirror_axes)} times the networks' time, in both stages")
    if cascade.rules:
        say(f"{POSTPROCESSING}: {'; '.join(map(in_words, cascade.rules))}; --no-postprocessing keeps all")


def _say_there_already(todo: Sequence[Job], kept: int, settings: PredictSettings) -> None:
    if settings.resume:
        say(f"{kept} images were finished with this model and these settings; {len(todo)} are left")
    there = sum(job.output.exists() for job in todo)
    if there:
        say(f"{there} results are there already and will be overwritten")


def _conclude(records: dict[str, Record], folder: Path, plan: CascadePlan) -> int:
    """Prints the table; returns how many images failed."""
    _show(records)
    show_review(records)
    failed = sum("error" in record for record in records.values())
    if failed < len(records):
        write_color_tables(folder, plan.labels, plan.label_colors)
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
