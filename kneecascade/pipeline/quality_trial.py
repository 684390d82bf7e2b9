"""Spoils sound cases in known ways and counts what quality control notices."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.console import say, show_table
from kneecascade.core.case import Side
from kneecascade.errors import InputError
from kneecascade.evaluation.corruption import (
    OF_BOTH,
    OF_IMAGES,
    OF_LABELS,
    Spoiled,
    on_canonical_grid,
)
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.files import write_json
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.pipeline.label_files import label_files
from kneecascade.pipeline.quality import image_files
from kneecascade.pipeline.quality_sides import SideSource, flags_of, known_sides
from kneecascade.planning.processes import map_in_processes, workers_for

WAYS = {**OF_LABELS, **OF_BOTH, **OF_IMAGES}
SOUND = "sound"
SHOWN_CHECKS = 4
Item = tuple[str, Path, tuple[Path, ...]]
Found = dict[str, list[str]]
"""Checks that flagged a case, by what was done to it."""


def trial_of_folder(
    labels: Path,
    images: Path,
    reference: QualityReference,
    output: Path | None = None,
    workers: int | None = None,
    source: SideSource | None = None,
) -> dict[str, Any]:
    """Spoils every case in every known way, prints and writes how many each check notices.

    A spoiled case counts as noticed when a check flags it that did not flag the sound one.

    Args:
        labels: folder of sound segmentations.
        images: folder of their images.
        reference: limits.
        output: where the numbers go; None for quality_trial.json in the folder of labels.
        workers: processes; None for the processors, at most four.
        source: where the sides of the knees come from; None for the defaults.

    Returns:
        What is written.

    Raises:
        InputError: a folder is missing, or a case has no image.
        ImageError: a file cannot be read.
    """
    items = pairs_with_images(labels, images, sum(limit.check == "noise" for limit in reference.limits))
    sides = known_sides(labels, images, [name for name, _, _ in items], source or SideSource())
    trial = partial(_trial, reference=reference)
    sided = [(item, sides[item[0]]) for item in items]
    found = map_in_processes(trial, sided, workers_for(len(items), workers), "spoiling")
    cases = {name: checks for (name, _, _), checks in zip(items, found, strict=True)}
    summary = {way: _count(list(cases.values()), way) for way in (SOUND, *WAYS)}
    _show(summary)
    path = output or labels / "quality_trial.json"
    written = {"reference": reference.dataset_name, "ways": summary, "cases": cases}
    write_json(path, written)
    say(f"every case with the checks that flagged it: {path}")
    return written


def pairs_with_images(labels: Path, images: Path, channels: int) -> list[Item]:
    """Returns name, label file and images of every case.

    Raises:
        InputError: a folder is missing, or a case has no image.
    """
    files, there = label_files(labels), image_files(images, channels)
    missing = [name for name in files if name not in there]
    if missing or not files:
        raise InputError(f"{labels}: " + (f"no image for {missing[0]}" if missing else "no label file in it"))
    return [(name, path, there[name]) for name, path in files.items()]


def _trial(sided: tuple[Item, Side], reference: QualityReference) -> Found:
    (name, path, images), side = sided
    sound = on_canonical_grid(read_volume(images), read_labels(path))
    found: Found = {SOUND: _flagged(sound, reference, side)}
    for way, corrupt in WAYS.items():
        # the same case is spoiled the same way in every run, whatever other cases there are
        generator = np.random.default_rng(zlib.crc32(f"{name} {way}".encode()))
        spoiled = corrupt(sound, reference.labels, generator)
        found[way] = [check for check in _flagged(spoiled, reference, side) if check not in found[SOUND]]
    return found


def _flagged(case: Spoiled, reference: QualityReference, side: Side) -> list[str]:
    return sorted({flag.check for flag in flags_of(case.volume, case.label_volume, reference, side, {})})


def _count(cases: Sequence[Found], way: str) -> dict[str, Any]:
    by_check = Counter(check for case in cases for check in case[way])
    return {
        "cases": len(cases),
        "flagged": sum(bool(case[way]) for case in cases),
        "by_check": dict(by_check.most_common()),
    }


def _show(summary: dict[str, dict[str, Any]]) -> None:
    rows = []
    for way, counts in summary.items():
        checks = [f"{check} {n}" for check, n in counts["by_check"].items()]
        shown = ", ".join([*checks[:SHOWN_CHECKS], *(["..."] if len(checks) > SHOWN_CHECKS else [])])
        rows.append([way, f"{counts['flagged']} of {counts['cases']}", shown])
    show_table("What quality control notices", ["done to the case", "flagged", "by"], rows)
