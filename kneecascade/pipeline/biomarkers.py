"""Measures the cartilage and bones of every label file in a folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kneecascade.biomarkers.knee import measure_knee
from kneecascade.biomarkers.structures import Structures, from_names, from_preset, from_words
from kneecascade.biomarkers.table import read_rows, write_rows
from kneecascade.console import say, tracked, warn
from kneecascade.core.case import Side
from kneecascade.core.settings import SideChoice
from kneecascade.errors import InputError, KneecascadeError
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels
from kneecascade.pipeline.biomarker_files import TABLE, write_knee
from kneecascade.pipeline.biomarker_summary import FILE as SUMMARY
from kneecascade.pipeline.biomarker_summary import show_summary, summarise, write_summary
from kneecascade.pipeline.images import strip_ending
from kneecascade.pipeline.label_files import label_files, named_values
from kneecascade.pipeline.sides import PREDICTIONS, written_sides
from kneecascade.pipeline.visits import compare_visits
from kneecascade.planning.subjects import SubjectRow, read_subject_rows, read_subject_table

CASE_FILE, RUN_FILE = "measures.json", "biomarkers.json"
Record = dict[str, Any]


@dataclass(frozen=True)
class BiomarkerSettings:
    """One run of kc_biomarkers.

    Attributes:
        labels: name=value words; empty where the names come from elsewhere.
        preset: a known data set's labels, or None.
        side: of every knee; "auto" asks subjects.csv, predictions.json, then medial and lateral labels.
        subjects: a subjects.csv; None looks beside the labels and in the folder above.
        pictures: whether to draw maps.
        meshes: whether to write surfaces.
        resume: keep cases that are done.
        longitudinal: whether to compare the visits of each knee as well.
    """

    labels: tuple[str, ...] = ()
    preset: str | None = None
    side: SideChoice = "auto"
    subjects: Path | None = None
    pictures: bool = True
    meshes: bool = True
    resume: bool = False
    longitudinal: bool = False


def measure_folder(inputs: Path, output: Path, settings: BiomarkerSettings) -> int:
    """Measures every label file, writes a folder a case and one table of all.

    Args:
        inputs: a folder of label files, or one file.
        output: a folder.
        settings: how.

    Returns:
        How many cases could not be measured.

    Raises:
        InputError: there is nothing to measure, or the label names cannot be found.
        SettingsError: labels or preset are wrong.
    """
    files = _files(inputs)
    folder = inputs if inputs.is_dir() else inputs.parent
    structures = _structures(folder, settings)
    rows = subject_rows(folder, settings.subjects)
    sides = written_sides(folder, rows)
    problems: dict[str, str] = {}
    done: dict[str, Record] = {}
    for name, file in tracked(files.items(), "measuring", len(files)):
        if settings.resume and (output / name / CASE_FILE).is_file():
            done[name] = read_json(output / name / CASE_FILE)
            continue
        try:
            side = sides.get(name, "unknown") if settings.side == "auto" else settings.side
            done[name] = _measure(name, file, output / name, structures, side, settings)
        except KneecascadeError as error:
            problems[name] = str(error)
            warn(f"{name}: not measured: {error}")
    _finish(output, done, problems, structures)
    if settings.longitudinal:
        compare_visits(
            output, [replace(rows[name], side=done[name]["side"]) for name in done if name in rows]
        )
    return len(problems)


def subject_rows(folder: Path, file: Path | None) -> dict[str, SubjectRow]:
    """Returns the rows of subjects.csv: the file given, else those beside the labels and one folder up."""
    if file is not None:
        return read_subject_table(file)
    return {**read_subject_rows(folder.resolve().parent), **read_subject_rows(folder)}


def _measure(
    name: str, file: Path, target: Path, structures: Structures, side: Side, settings: BiomarkerSettings
) -> Record:
    start = time.perf_counter()
    (target / CASE_FILE).unlink(missing_ok=True)
    labels = read_labels(file)
    knee = measure_knee(name, labels, structures, side)
    write_knee(target, name, knee, labels.geometry, settings.meshes, settings.pictures)
    for flag in knee.flags:
        warn(f"{name}: {flag}")
    seconds = round(time.perf_counter() - start, 1)
    said = {"side": knee.frame.side, "flags": knee.flags, "seconds": seconds, "source": str(file)}
    # last, so that where it is everything is
    write_json(target / CASE_FILE, said)
    return said


def _finish(output: Path, done: dict[str, Record], problems: dict[str, str], structures: Structures) -> None:
    rows = [row for name in done for row in read_rows(output / name / TABLE)]
    write_rows(output / TABLE, rows)
    said = {"labels_from": structures.source, "labels": {k: list(v) for k, v in structures.values.items()}}
    write_json(output / RUN_FILE, said | {"cases": done, "problems": problems})
    summaries = summarise(rows)
    write_summary(output / SUMMARY, summaries)
    show_summary(summaries)
    say(f"{len(done)} of {len(done) + len(problems)} cases measured: {output / TABLE}")


def _files(inputs: Path) -> dict[str, Path]:
    if inputs.is_file():
        return {strip_ending(inputs): inputs}
    files = label_files(inputs)
    if not files:
        raise InputError(f"{inputs}: no label file in it")
    return files


def _structures(folder: Path, settings: BiomarkerSettings) -> Structures:
    if settings.labels:
        return from_words(settings.labels)
    if settings.preset:
        return from_preset(settings.preset)
    for file in (
        folder / "dataset.json",
        folder / PREDICTIONS,
        folder.resolve().parent / "dataset.json",
    ):
        if file.is_file():
            return from_names(named_values(file), str(file))
    raise InputError(
        f"{folder}: no dataset.json or predictions.json tells the labels; give --preset or --labels"
    )
