"""Who the cases of a folder are: subjects, groups, repeated scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kneecascade.errors import DatasetError, SettingsError
from kneecascade.planning.subjects import FILE, SubjectRow, read_subject_table

Rows = dict[str, SubjectRow]
COLUMNS = ("grade", "side", "site", "visit")
USUAL_COLUMNS = ("grade", "side", "site")
NOT_SAID = "unknown"


def find_rows(labels_folder: Path, file: Path | None = None) -> Rows:
    """Reads subjects.csv: the file given, else the one beside the folder of labels, else none.

    Raises:
        DatasetError: the file is unusable.
    """
    if file is None:
        file = labels_folder.parent / FILE
        if not file.is_file():
            return {}
    return read_subject_table(file)


def subjects_of(rows: Rows) -> dict[str, str]:
    """Returns who each case is."""
    return {name: row.subject for name, row in rows.items() if row.subject}


def groups_of(
    cases: Sequence[str], rows: Rows, columns: Sequence[str] | None = None
) -> dict[str, dict[str, list[str]]]:
    """Returns the cases of every group.

    Args:
        cases: names.
        rows: of subjects.csv.
        columns: to group by; None for those of grade, side and site that tell cases apart.

    Returns:
        Case names by column and value; a case of which nothing is said is "unknown".

    Raises:
        SettingsError: there is no such column, or no subjects.csv.
    """
    if columns and not rows:
        raise SettingsError(f"--group {columns[0]}: needs a {FILE} with that column; give it with --subjects")
    groups: dict[str, dict[str, list[str]]] = {}
    for column in USUAL_COLUMNS if columns is None else columns:
        if column not in COLUMNS:
            raise SettingsError(f"--group {column}: choose among {', '.join(COLUMNS)}")
        members: dict[str, list[str]] = {}
        for name in cases:
            value = str(getattr(rows[name], column)) if name in rows else ""
            members.setdefault(value or NOT_SAID, []).append(name)
        if len(members) > 1 or columns is not None:
            groups[column] = dict(sorted(members.items()))
    return groups


def repeated_scans(rows: Rows, cases: Sequence[str]) -> dict[str, list[str]]:
    """Returns the cases that are declared scans of one unchanged knee, by their name in subjects.csv.

    Args:
        rows: of subjects.csv.
        cases: names; others are left out.

    Raises:
        DatasetError: none are declared, or scans that are declared one knee are of different people,
            sides or visits: change between visits is not error of measurement.
    """
    knees: dict[str, list[str]] = {}
    for name in cases:
        if name in rows and rows[name].scan_rescan:
            knees.setdefault(rows[name].scan_rescan, []).append(name)
    knees = {knee: scans for knee, scans in knees.items() if len(scans) > 1}
    if not knees:
        raise DatasetError(
            f"no repeated scans: name them in the column scan_rescan of {FILE}, the same word for scans of"
            " one knee without treatment or months between them"
        )
    for knee, scans in knees.items():
        _check_knee(knee, {name: rows[name] for name in scans})
    return knees


def _check_knee(knee: str, rows: Mapping[str, SubjectRow]) -> None:
    for column in ("subject", "side", "visit"):
        said = sorted({str(getattr(row, column)) for row in rows.values()} - {"", NOT_SAID})
        if len(said) > 1:
            raise DatasetError(
                f"scan_rescan {knee}: {' and '.join(sorted(rows)[:2])} are of {column} {' and '.join(said)};"
                " only scans of one knee at one visit tell precision"
            )
