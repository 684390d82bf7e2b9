"""Tables beside images: CSV and Excel files as rows of text."""

from __future__ import annotations

import csv
from pathlib import Path

from kneecascade.errors import DatasetError, MissingExtraError


def read_rows(path: Path) -> list[list[str]]:
    """Reads the rows of a CSV file or of an Excel file's first sheet; empty rows are left out.

    Raises:
        DatasetError: the file cannot be read.
        MissingExtraError: it is an Excel file, and openpyxl is not installed.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    rows = _excel(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    return [row for row in rows if any(row)]


def read_table(path: Path, needed: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Reads rows by column; columns are told by their letters and digits alone, in lower case.

    Args:
        path: a CSV or Excel file with a header.
        needed: columns that must be there, written that way: "kneeside" for "Knee-Side".

    Raises:
        DatasetError: the file cannot be read, or a column is missing.
        MissingExtraError: it is an Excel file, and openpyxl is not installed.
    """
    rows = read_rows(path)
    header = [_plain(cell) for cell in rows[0]] if rows else []
    absent = [column for column in needed if column not in header]
    if absent:
        raise DatasetError(f"{path}: has no column {absent[0]}; there: {', '.join(header) or 'nothing'}")
    return [dict(zip(header, row, strict=False)) for row in rows[1:]]


def _csv(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return [[cell.strip() for cell in row] for row in csv.reader(stream)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read as a table; save it as CSV in UTF-8") from error


def _excel(path: Path) -> list[list[str]]:
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(
            f"{path.name}: Excel files need openpyxl: pip install kneecascade[datasets]"
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = [[_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    except Exception as error:  # openpyxl has no error of its own for what is no workbook
        raise DatasetError(f"{path}: cannot be read as an Excel file") from error
    return rows


def _text(cell: object) -> str:
    if cell is None:
        return ""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole and isinstance(cell, float) else str(cell).strip()


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
