"""The visits of each knee side by side, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from kneecascade.biomarkers.longitudinal import Change, Visit, changes
from kneecascade.biomarkers.table import WHOLE, read_rows
from kneecascade.console import say, show_table, warn
from kneecascade.files import write_text
from kneecascade.planning.subjects import SubjectRow

TABLE, RESULT = "biomarkers.csv", "longitudinal.csv"
SHOWN = ("volume", "ThCcAB")


def compare_visits(output: Path, subjects: Sequence[SubjectRow]) -> list[Change]:
    """Writes longitudinal.csv from biomarkers.csv and prints volumes and thickness.

    Args:
        output: folder of kc_biomarkers.
        subjects: rows of subjects.csv of the measured cases.

    Returns:
        The changes; none where nobody has two visits, which is said.
    """
    visits = [Visit(s.case, s.subject, s.visit, s.side, s.scan_rescan) for s in subjects]
    found = changes(read_rows(output / TABLE), visits)
    if not found:
        warn("no knee has two visits in subjects.csv (columns case, subject, side, visit)")
        return []
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Change)], lineterminator="\n")
    writer.writeheader()
    for change in found:
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(change).items()})
    write_text(output / RESULT, text.getvalue())
    _show(found)
    say(f"{len({(c.subject, c.side) for c in found})} knees with several visits: {output / RESULT}")
    return found


def _show(found: Sequence[Change]) -> None:
    rows = []
    for change in found:
        normal = change.measure == "volume" or change.method.startswith("surface normal")
        if change.measure in SHOWN and change.region == WHOLE and normal and "cartilage" in change.structure:
            rows.append(_row(change))
    show_table(
        "Change from the first visit (SDC: smallest detectable change)",
        ["subject", "visits", "measure", "first", "later", "change", "SDC"],
        rows,
    )


def _row(change: Change) -> list[str]:
    percent = "-" if change.percent is None else f"{change.percent:+.1f} %"
    smallest = "-" if change.smallest_percent is None else f"{change.smallest_percent:.1f} %"
    return [
        change.subject,
        f"{change.first_visit} to {change.visit}",
        f"{change.structure} {change.measure}, {change.unit}",
        f"{change.first:.2f}",
        f"{change.value:.2f}",
        percent,
        smallest,
    ]
