"""Which side knees are of: as the user says, else subjects.csv, else what a case or an earlier run knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kneecascade.core.case import Side
from kneecascade.core.settings import SideChoice
from kneecascade.files import read_json
from kneecascade.pipeline.images import Job
from kneecascade.planning.subjects import SubjectRow, read_subject_rows

PREDICTIONS = "predictions.json"


def with_sides(jobs: Sequence[Job], inputs: Path, choice: SideChoice) -> list[Job]:
    """Returns the jobs with the side of each case.

    Args:
        jobs: their cases may know a side already; DICOM's tags may tell one.
        inputs: what the user gave; subjects.csv is looked for there and in the folder above.
        choice: "left", "right" or "unknown" for all images; "auto" for what is known of each.

    Raises:
        DatasetError: subjects.csv cannot be used.
    """
    if choice != "auto":
        return [replace(job, case=replace(job.case, side=choice)) for job in jobs]
    folder = inputs if inputs.is_dir() else inputs.parent
    rows = {**read_subject_rows(folder.resolve().parent), **read_subject_rows(folder)}
    sided = []
    for job in jobs:
        row = rows.get(job.case.name)
        said = (row.side if row else "unknown", _tagged(job), job.case.side)
        side: Side = next((one for one in said if one != "unknown"), "unknown")
        sided.append(replace(job, case=replace(job.case, side=side)))
    return sided


def written_sides(folder: Path, rows: Mapping[str, SubjectRow]) -> dict[str, Side]:
    """Returns the sides that are known of a folder's results: of subjects.csv, else of predictions.json.

    Args:
        folder: of label files.
        rows: of subjects.csv.
    """
    file = folder / PREDICTIONS
    cases = (read_json(file).get("cases") or {}) if file.is_file() else {}
    told: dict[str, Side] = {}
    for name, record in cases.items():
        side = record.get("side")
        if side == "left" or side == "right":
            told[name] = side
    return told | {name: row.side for name, row in rows.items() if row.side != "unknown"}


def _tagged(job: Job) -> Side:
    """Returns what DICOM's tags say, where they say one side."""
    told = job.source.found.side if job.source else "unknown"
    return told if told == "left" or told == "right" else "unknown"
