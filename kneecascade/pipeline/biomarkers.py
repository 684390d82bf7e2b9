"""Measures the cartilage and bones of every label file in a folder."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.biomarkers.frame import Side
from kneecascade.biomarkers.knee import KneeMeasures, measure_knee
from kneecascade.biomarkers.picture import thickness_map
from kneecascade.biomarkers.structures import Structures, from_names, from_preset, from_words
from kneecascade.biomarkers.table import Row, read_rows, write_rows
from kneecascade.biomarkers.vtp import write_vtp
from kneecascade.console import say, show_table, tracked, warn
from kneecascade.errors import DatasetError, InputError, KneecascadeError
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels, write_channel
from kneecascade.pipeline.images import image_ending, strip_ending

CASE_FILE, TABLE = "measures.json", "biomarkers.csv"
SIDES: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}


@dataclass(frozen=True)
class BiomarkerSettings:
    """One run of kc_biomarkers.

    Attributes:
        labels: name=value words; empty where the names come from elsewhere.
        preset: a known data set's labels, or None.
        side: of every knee; "auto" asks subjects.csv and the labels.
        pictures: whether to draw maps.
        meshes: whether to write surfaces.
        resume: keep cases that are done.
    """

    labels: tuple[str, ...] = ()
    preset: str | None = None
    side: str = "auto"
    pictures: bool = True
    meshes: bool = True
    resume: bool = False


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
    files = _label_files(inputs)
    folder = inputs if inputs.is_dir() else inputs.parent
    structures = _structures(folder, settings)
    sides = _sides(folder)
    problems: dict[str, str] = {}
    done: dict[str, dict[str, Any]] = {}
    for name, file in tracked(files.items(), "measuring", len(files)):
        target = output / name
        if settings.resume and (target / CASE_FILE).is_file():
            done[name] = read_json(target / CASE_FILE)
            continue
        side = SIDES.get(settings.side, sides.get(name, "unknown"))
        try:
            done[name] = _measure(name, file, target, structures, side, settings)
        except KneecascadeError as error:
            problems[name] = str(error)
            warn(f"{name}: not measured: {error}")
    _finish(output, done, problems, structures)
    return len(problems)


def _measure(
    name: str, file: Path, target: Path, structures: Structures, side: Side, settings: BiomarkerSettings
) -> dict[str, Any]:
    start = time.perf_counter()
    labels = read_labels(file)
    knee = measure_knee(name, labels, structures, side)
    write_channel(knee.thickness, labels.geometry, target / "thickness.nii.gz")
    if settings.meshes:
        _write_meshes(target, knee)
    if settings.pictures:
        for bone, joint in knee.joints.items():
            thickness_map(target / f"map_{bone}.png", name, joint, knee.frame, knee.regions[bone])
    write_rows(target / TABLE, knee.rows)
    seconds = round(time.perf_counter() - start, 1)
    said = {"side": knee.frame.side, "flags": knee.flags, "seconds": seconds, "source": str(file)}
    for flag in knee.flags:
        warn(f"{name}: {flag}")
    # last, so that where it is everything is
    write_json(target / CASE_FILE, said)
    return said


def _write_meshes(target: Path, knee: KneeMeasures) -> None:
    for bone, joint in knee.joints.items():
        covered = joint.covered
        scalars = {
            "thickness_mm": np.where(covered, joint.thickness_mm, np.nan),
            "nearest_mm": np.where(covered, joint.nearest_mm, np.nan),
            "covered": covered,
            "joint_surface": joint.total,
        }
        write_vtp(target / f"{bone if joint.has_bone else bone + '_side'}.vtp", joint.mesh, scalars)
        write_vtp(target / f"{joint.cartilage}.vtp", joint.closed, {})


def _finish(output: Path, done: dict[str, Any], problems: dict[str, str], structures: Structures) -> None:
    rows = [row for name in done for row in read_rows(output / name / TABLE)]
    write_rows(output / TABLE, rows)
    said = {"labels_from": structures.source, "labels": {k: list(v) for k, v in structures.values.items()}}
    write_json(output / "biomarkers.json", said | {"cases": done, "problems": problems})
    _show(rows)
    say(f"{len(done)} of {len(done) + len(problems)} cases measured: {output / TABLE}")


def _show(rows: Sequence[Row]) -> None:
    """Prints mean and standard deviation over cases of the measures one looks at first."""
    lines = []
    for measure, start in (("volume", ""), ("ThCcAB_mean", "surface normal"), ("FCL", "")):
        found: dict[str, list[float]] = {}
        for row in rows:
            there = row.measure == measure and row.region == "whole" and row.method.startswith(start)
            if there and row.value is not None:
                found.setdefault(f"{row.structure} {measure}, {row.unit}", []).append(row.value)
        for name, values in found.items():
            spread = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
            ends = f"{min(values):.2f} to {max(values):.2f}"
            lines.append([name, f"{np.mean(values):.2f}{spread}", ends, str(len(values))])
    if lines:
        show_table("Measures", ["measure", "mean ± sd", "range", "n"], lines)


def _label_files(inputs: Path) -> dict[str, Path]:
    if inputs.is_file():
        return {strip_ending(inputs): inputs}
    if not inputs.is_dir():
        raise InputError(f"{inputs}: no such file or folder")
    files = sorted(p for p in inputs.iterdir() if p.is_file() and p.name[0] != "." and image_ending(p))
    if not files:
        raise InputError(f"{inputs}: no label file in it")
    return {strip_ending(path): path for path in files}


def _structures(folder: Path, settings: BiomarkerSettings) -> Structures:
    if settings.labels:
        return from_words(settings.labels)
    if settings.preset:
        return from_preset(settings.preset)
    for file in (folder / "dataset.json", folder.parent / "dataset.json", folder / "predictions.json"):
        if file.is_file():
            data = read_json(file)
            names = data.get("labels") if isinstance(data, dict) else None
            if not isinstance(names, dict) or not all(isinstance(value, int) for value in names.values()):
                raise DatasetError(f'{file}: labels must be like {{"background": 0, "femur": 1}}')
            return from_names(names, str(file))
    raise InputError(
        f"{folder}: no dataset.json or predictions.json with label names; give --preset or --labels"
    )


def _sides(folder: Path) -> dict[str, Side]:
    """Reads the column side of subjects.csv beside the labels or one folder up; empty without one."""
    for file in (folder / "subjects.csv", folder.parent / "subjects.csv"):
        if file.is_file():
            with file.open(newline="", encoding="utf-8-sig") as stream:
                rows = list(csv.DictReader(stream))
            found = {row.get("case", ""): SIDES.get((row.get("side") or "").strip().lower()) for row in rows}
            return {name: side for name, side in found.items() if side}
    return {}
