"""dataset.json and subjects.csv of a converted data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kneecascade.dataset_conversion.found import Found, SourceCase
from kneecascade.files import write_text

OPTIONAL = ("site", "grade", "visit")


def describe(found: Found, written: Mapping[str, int], cases: Sequence[SourceCase]) -> dict[str, Any]:
    """Returns the entries of dataset.json, the licence among them.

    Args:
        found: the source.
        written: label names to values, as they are in the files.
        cases: those that were written.
    """
    entries: dict[str, Any] = {key: value for key, value in found.about.items() if value}
    entries["licence"] = found.licence
    entries["channel_names"] = {str(k): name for k, name in enumerate(found.channel_names)}
    entries["labels"] = dict(written)
    entries["numTraining"] = sum(case.part == "Tr" for case in cases)
    entries["file_ending"] = found.file_ending
    return entries


def write_subjects(file: Path, cases: Sequence[SourceCase], sides: Mapping[str, str]) -> None:
    """Writes subjects.csv: case, subject, side, and site, grade, visit where any case has one."""
    extra = [column for column in OPTIONAL if any(getattr(case, column) for case in cases)]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("case", "subject", "side", *extra))
    for case in sorted(cases, key=lambda case: case.name):
        rows.writerow((case.name, case.subject, sides[case.name], *(getattr(case, name) for name in extra)))
    write_text(file, text.getvalue())
