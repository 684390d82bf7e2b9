"""The long table of measures: one row a number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from kneecascade.errors import InputError
from kneecascade.files import write_text

WHOLE = "whole"


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        case: name of the examination.
        structure: such as "femur" or "femoral_cartilage".
        region: "whole" or the name of a part.
        measure: such as "volume" or "ThCcAB_mean".
        value: None where it cannot be had.
        unit: of the value; "" for a number without one.
        method: how it was measured; the reason where there is no value.
    """

    case: str
    structure: str
    region: str
    measure: str
    value: float | None
    unit: str
    method: str


HEADER = tuple(field.name for field in fields(Row))


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes the table; six digits, an empty cell where there is no value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow(
            ["" if c is None else f"{c:.6g}" if isinstance(c, float) else c for c in astuple(row)]
        )
    write_text(path, text.getvalue())


def read_rows(path: Path) -> list[Row]:
    """Reads a table back.

    Raises:
        InputError: the file is missing or is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            table = list(csv.reader(stream))
        if not table or tuple(table[0]) != HEADER:
            raise InputError(f"{path}: expected the columns {','.join(HEADER)}")
        return [_row(*line) for line in table[1:]]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table of measures ({error})") from error


def _row(case: str, structure: str, region: str, measure: str, value: str, unit: str, method: str) -> Row:
    return Row(case, structure, region, measure, float(value) if value else None, unit, method)
