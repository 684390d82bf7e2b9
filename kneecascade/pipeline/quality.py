"""Judges results: flags with a reason and a number, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kneecascade.console import say, show_table, warn
from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.record import to_plain
from kneecascade.errors import ImageError, InputError, KneecascadeError
from kneecascade.evaluation.quality_checks import Flag, doubt, review_order
from kneecascade.evaluation.quality_features import Features
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.files import write_json
from kneecascade.imaging.files import grid_difference, read_labels, read_volume
from kneecascade.inference.sureness import Sureness
from kneecascade.pipeline.images import ENDINGS
from kneecascade.pipeline.label_files import label_files
from kneecascade.pipeline.quality_reference import with_sureness
from kneecascade.pipeline.quality_sides import SideSource, flags_of, known_sides
from kneecascade.planning.dataset_folder import find_cases
from kneecascade.planning.processes import map_in_processes, workers_for

Record = dict[str, Any]
SHOWN_FLAGS = 2
SHOWN_CASES = 20
SAID_ALREADY = ("missing", "volume")
"""Checks that the inference makes of targets as well."""


@dataclass(frozen=True)
class Judge:
    """Holds results against what sound cases look like.

    Attributes:
        reference: limits; None where the model has none, and nothing is checked.
    """

    reference: QualityReference | None

    def record(
        self,
        volume: Volume | None,
        labels: LabelVolume,
        sureness: Sureness | None,
        flags: Sequence[str],
        side: Side = "unknown",
    ) -> Record:
        """Returns the entries "flags" and "quality" of a case's record.

        Args:
            volume: the image.
            labels: the result on its grid.
            sureness: what the networks say of themselves; None where they are not asked.
            flags: what the inference doubted.
            side: of the knee, as known or as the image was taken for.
        """
        if self.reference is None:
            nothing = {"doubt": float(len(flags)), "training_cases": 0, "flags": []}
            return {"flags": list(flags), "quality": nothing}
        more: Features = {}
        if sureness is not None:
            more = {
                "entropy": sureness.entropy,
                "soft Dice": sureness.soft_dice,
                "fold agreement": sureness.fold_dice,
            }
        odd = flags_of(volume, labels, self.reference, side, more)
        found = [flag for flag in odd if not _said(flag, flags)]
        quality = {
            "doubt": doubt(found, len(flags)),
            "training_cases": self.reference.cases,
            "flags": to_plain(found),
        }
        return {"flags": [*flags, *(flag.text for flag in found)], "quality": quality}


def load_judge(model_folder: Path, folds: Sequence[str]) -> Judge:
    """Returns the judge of a model's results.

    Args:
        model_folder: results/Dataset001_Name.
        folds: names of the folds that predict.
    """
    reference = read_reference(model_folder)
    if reference is None:
        say(f"no {FILE} of this version with the model: results are not held against training cases")
        say("kc_quality --learn -d ID makes it")
        return Judge(None)
    return Judge(with_sureness(reference, [model_folder / fold for fold in folds]))


def doubt_of(record: Record) -> float:
    """Returns the doubt of a case's record; one for each flag where it was not held against limits."""
    quality = record.get("quality") or {}
    return float(quality.get("doubt", len(record.get("flags", ()))))


def review(records: Mapping[str, Record]) -> list[str]:
    """Returns the names of doubtful cases, the worst first; those that failed before all."""
    failed = [name for name, record in records.items() if "error" in record]
    doubts = {name: doubt_of(record) for name, record in records.items() if "error" not in record}
    return [*failed, *review_order(doubts)]


def show_review(records: Mapping[str, Record]) -> None:
    """Prints the doubtful cases, the worst first, with their first reasons."""
    names = review(records)
    rows = []
    for name in names[:SHOWN_CASES]:
        record = records[name]
        if "error" in record:
            rows.append([name, "-", f"failed: {record['error']}"])
            continue
        flags = record["flags"]
        more = [f"and {len(flags) - SHOWN_FLAGS} more"] if len(flags) > SHOWN_FLAGS else []
        rows.append([name, f"{record['quality']['doubt']:.1f}", "\n".join([*flags[:SHOWN_FLAGS], *more])])
    if rows:
        show_table("To look at, worst first", ["case", "doubt", "why"], rows)
    hidden = f"; {len(names) - SHOWN_CASES} more in the file" if len(names) > SHOWN_CASES else ""
    say(f"{len(names)} of {len(records)} cases have flags{hidden}")


def judge_folder(
    predicted: Path,
    images: Path | None,
    reference: QualityReference,
    output: Path | None = None,
    workers: int | None = None,
    source: SideSource | None = None,
) -> int:
    """Judges a folder of label files, whoever made them; prints the doubtful ones, writes a JSON file.

    Args:
        predicted: folder of label files.
        images: folder of their images; None leaves grey values unchecked.
        reference: limits; see `quality_reference`.
        output: where the flags go; None for quality_review.json in the folder.
        workers: processes; None for the processors, at most four.
        source: where the sides of the knees come from; None for the defaults.

    Returns:
        How many cases could not be judged.

    Raises:
        InputError: a folder is missing, or empty.
        DatasetError: the table of subjects cannot be used.
    """
    files = label_files(predicted)
    if not files:
        raise InputError(f"{predicted}: no label file in it")
    channels = sum(limit.check == "noise" for limit in reference.limits)
    there = image_files(images, channels) if images else {}
    sides = known_sides(predicted, images, files, source or SideSource())
    items = [(name, path, there.get(name, ()), sides[name]) for name, path in files.items()]
    judge = partial(_judge_files, reference=reference, with_images=images is not None)
    found = map_in_processes(judge, items, workers_for(len(items), workers), "judging")
    records = dict(zip(files, found, strict=True))
    _warn_of_errors(records)
    show_review(records)
    head = {"reference": reference.dataset_name, "review": review(records)}
    _write_review(output or predicted / "quality_review.json", {**head, "cases": records})
    return sum("error" in record for record in records.values())


def _write_review(path: Path, content: Record) -> None:
    write_json(path, content)
    say(f"every case with its numbers: {path}")


def _warn_of_errors(records: Mapping[str, Record]) -> None:
    for name, record in records.items():
        if "error" in record:
            warn(f"{name}: not judged: {record['error']}")


def image_files(folder: Path, channels: int) -> dict[str, tuple[Path, ...]]:
    """Returns the files of every case of a folder of images, by case name.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = (find_cases(folder, ending, channels, single_ok=True) for ending in ENDINGS)
    return {case.name: case.images for cases in found for case in cases}


def _judge_files(
    item: tuple[str, Path, tuple[Path, ...], Side], reference: QualityReference, with_images: bool
) -> Record:
    name, path, images, side = item
    try:
        labels = read_labels(path)
        if with_images and not images:
            raise InputError(f"{name}: no image of this name")
        volume = read_volume(images) if images else None
        difference = volume and grid_difference(volume.geometry, labels.geometry)
        if difference:
            raise ImageError(f"{path}: {difference} differs from the image's")
        return Judge(reference).record(volume, labels, None, (), side)
    except KneecascadeError as error:
        return {"error": str(error)}


def _said(flag: Flag, flags: Sequence[str]) -> bool:
    """Returns whether the inference has told of the same thing."""
    beginnings = (f"no {flag.what} ", f"{flag.what}: ")
    return flag.check in SAID_ALREADY and any(text.startswith(beginnings) for text in flags)
