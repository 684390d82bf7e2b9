"""Precision of a folder of predictions from repeated scans of the same knees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kneecascade.console import say, show_table, warn
from kneecascade.core.labels import Labels
from kneecascade.core.record import to_plain
from kneecascade.errors import ImageError, InputError
from kneecascade.evaluation.measures import Scores, cartilage_labels
from kneecascade.evaluation.precision import Precision, label_sizes, precision_of_labels
from kneecascade.files import write_json
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline.cohort import find_rows, repeated_scans
from kneecascade.pipeline.label_files import find_labels, label_files
from kneecascade.planning.processes import map_in_processes, workers_for

METHOD = {
    "rms_cv_percent": "root mean square coefficient of variation of repeated scans",
    "smallest_detectable_change": "1.96 sqrt(2) times the root mean square standard deviation",
    "thickness_mm": "2 V / S",
}


@dataclass(frozen=True)
class PrecisionSettings:
    """One run of kc_evaluate --precision.

    Attributes:
        labels_file: see `EvaluateSettings`.
        cartilage: labels whose thickness is measured; None for those with cartilage in their name.
        subjects: a subjects.csv with the column scan_rescan; None looks beside the folder.
        workers: processes; None for the processors, at most four.
    """

    labels_file: Path | None = None
    cartilage: tuple[str, ...] | None = None
    subjects: Path | None = None
    workers: int | None = None


def precision_of_folder(
    folder: Path, output: Path | None = None, settings: PrecisionSettings | None = None
) -> int:
    """Measures how far declared repeated scans differ, prints a table, writes precision.json.

    Args:
        folder: of label files; no reference is needed.
        output: where the numbers go; None for precision.json in the folder.
        settings: None for the defaults.

    Returns:
        How many scans could not be read.

    Raises:
        InputError: there is no such folder, or no label names can be read from the file given.
        DatasetError: subjects.csv declares no repeated scans, or scans of different knees or visits.
    """
    settings = settings or PrecisionSettings()
    files = label_files(folder)
    knees = repeated_scans(find_rows(folder, settings.subjects), list(files))
    scans = [name for knee in knees.values() for name in knee]
    labels, source = find_labels(folder, folder, [files[name] for name in scans], settings.labels_file)
    sheets = cartilage_labels(labels) if settings.cartilage is None else settings.cartilage
    measure = partial(_sizes, labels=labels, cartilage=sheets)
    workers = workers_for(len(scans), settings.workers)
    found = map_in_processes(measure, [files[name] for name in scans], workers, "measuring")
    sizes = {name: size for name, size in zip(scans, found, strict=True) if not isinstance(size, str)}
    for name, size in zip(scans, found, strict=True):
        if isinstance(size, str):
            warn(f"{name}: not measured: {size}")
    readable = {knee: [name for name in members if name in sizes] for knee, members in knees.items()}
    precisions = precision_of_labels(sizes, list(readable.values()), labels.foreground)
    if not precisions:
        raise InputError(f"{folder}: no label is in two scans of a knee")
    _show(precisions)
    path = output or folder / "precision.json"
    write_json(path, _plain(folder, source, readable, precisions, sizes))
    say(f"{len(sizes)} scans of {len(knees)} knees: {path}")
    return len(scans) - len(sizes)


def _sizes(path: Path, labels: Labels, cartilage: tuple[str, ...]) -> dict[str, Scores] | str:
    try:
        return label_sizes(read_labels(path), labels, cartilage)
    except ImageError as error:
        return str(error)


def _plain(
    folder: Path,
    source: str,
    knees: dict[str, list[str]],
    precisions: dict[str, dict[str, Precision]],
    sizes: dict[str, dict[str, Scores]],
) -> dict[str, object]:
    return {
        "folder": str(folder),
        "labels_from": source,
        "method": METHOD,
        "precision": to_plain(precisions),
        "knees": knees,
        "scans": sizes,
    }


def _show(precisions: dict[str, dict[str, Precision]]) -> None:
    rows = [
        [
            label,
            what,
            *(f"{v:.3g}" for v in (p.mean, p.rms_sd, p.rms_cv_percent, p.smallest_detectable_change)),
            str(p.knees),
        ]
        for label, quantities in precisions.items()
        for what, p in quantities.items()
    ]
    head = ["label", "quantity", "mean", "RMS SD", "RMS CV %", "SDC", "knees"]
    show_table("Precision from repeated scans; SDC: smallest detectable change", head, rows)
