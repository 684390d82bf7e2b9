"""Reads subjects.csv: who each case is, which side, and what folds are balanced by."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from kneecascade.core.case import Side
from kneecascade.errors import DatasetError

FILE = "subjects.csv"
SIDES: dict[str, Side] = {
    "left": "left",
    "l": "left",
    "right": "right",
    "r": "right",
    "unknown": "unknown",
    "": "unknown",
}


@dataclass(frozen=True)
class SubjectRow:
    """One row of subjects.csv; what a column does not say is "".

    Attributes:
        case: case identifier.
        subject: the person; cases of one stay in one fold.
        side: of the knee.
        site: where it was scanned.
        grade: of the disease, such as Kellgren and Lawrence's.
        visit: which of several.
        scan_rescan: a name that scans of one unchanged knee share; "" where there is one scan.
    """

    case: str
    subject: str
    side: Side = "unknown"
    site: str = ""
    grade: str = ""
    visit: str = ""
    scan_rescan: str = ""


def read_subject_rows(folder: Path) -> dict[str, SubjectRow]:
    """Reads subjects.csv of a folder, see `read_subject_table`; empty where there is no file."""
    file = folder / FILE
    return read_subject_table(file) if file.is_file() else {}


def read_subject_table(file: Path) -> dict[str, SubjectRow]:
    """Reads columns case and subject, and any of side, site, grade, visit, scan_rescan.

    Other columns are passed over. A side is left, right, l, r, unknown or empty, in any case.

    Returns:
        The rows by case.

    Raises:
        DatasetError: a column is missing, a case is there twice, a side is no side, or the file is no
            table in UTF-8.
    """
    if not file.is_file():
        raise DatasetError(f"{file}: no such file")
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            table = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file}: cannot be read as a table ({error}); save it as CSV in UTF-8") from error
    header = [cell.strip().lower() for cell in table[0]] if table else []
    if not {"case", "subject"} <= set(header):
        raise DatasetError(f"{file}: needs the columns case,subject")
    rows: dict[str, SubjectRow] = {}
    for cells in table[1:]:
        row = _row(dict(zip(header, (cell.strip() for cell in cells), strict=False)), file)
        if rows.setdefault(row.case, row) is not row:
            raise DatasetError(f"{file}: {row.case} is there twice; leave one row a case")
    return rows


def _row(cells: dict[str, str], file: Path) -> SubjectRow:
    case = cells.get("case", "")
    if not case:
        raise DatasetError(f"{file}: a row names no case; every row needs one")
    side = SIDES.get(cells.get("side", "").lower())
    if side is None:
        raise DatasetError(f"{file}: side of {case} is {cells['side']!r}; write left, right or unknown")
    rest = {name: cells.get(name, "") for name in ("subject", "site", "grade", "visit", "scan_rescan")}
    return SubjectRow(case=case, side=side, **rest)
