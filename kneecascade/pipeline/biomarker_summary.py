"""Mean, standard deviation and range of every measure over the cases of a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from kneecascade.biomarkers.measures import NORMAL
from kneecascade.biomarkers.table import WHOLE, Row
from kneecascade.console import show_table
from kneecascade.files import write_text

FILE = "summary.csv"
SHOWN = (
    ("volume", ("",), (WHOLE,)),
    ("surface_volume", ("",), (WHOLE,)),
    ("ThCcAB", (NORMAL,), (WHOLE, "medial", "lateral")),
    ("FCL", ("",), (WHOLE,)),
    ("curvature_mean_median", ("",), (WHOLE,)),
)
"""What is printed: measure, beginnings of its methods, regions. The file has all."""


@dataclass(frozen=True)
class Summary:
    """One measure over the cases that have it.

    Attributes:
        structure, region, measure, unit, method: as in biomarkers.csv.
        n: cases.
        mean: of them.
        sd: sample standard deviation; None for one case.
        least, most: the ends of the range.
    """

    structure: str
    region: str
    measure: str
    unit: str
    method: str
    n: int
    mean: float
    sd: float | None
    least: float
    most: float


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """Returns every measure that some case has, in the order of the rows."""
    found: dict[tuple[str, str, str, str, str], list[float]] = {}
    for row in rows:
        if row.value is not None:
            key = (row.structure, row.region, row.measure, row.unit, row.method)
            found.setdefault(key, []).append(row.value)
    return [
        Summary(
            *key,
            n=len(values),
            mean=float(np.mean(values)),
            sd=float(np.std(values, ddof=1)) if len(values) > 1 else None,
            least=min(values),
            most=max(values),
        )
        for key, values in found.items()
    ]


def write_summary(path: Path, summaries: Sequence[Summary]) -> None:
    """Writes a row a measure; six digits, an empty cell for no standard deviation."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Summary)])
    for one in summaries:
        writer.writerow(
            ["" if c is None else f"{c:.6g}" if isinstance(c, float) else c for c in astuple(one)]
        )
    write_text(path, text.getvalue())


def show_summary(summaries: Sequence[Summary]) -> None:
    """Prints the measures one looks at first."""
    lines = []
    for measure, methods, regions in SHOWN:
        for one in summaries:
            if one.measure == measure and one.region in regions and one.method.startswith(methods):
                where = "" if one.region == WHOLE else f", {one.region}"
                unit = f", {one.unit}" if one.unit else ""
                digits = 3 if abs(one.most) < 1 else 2
                spread = "" if one.sd is None else f" ± {one.sd:.{digits}f}"
                ends = f"{one.least:.{digits}f} to {one.most:.{digits}f}"
                name = f"{one.structure}{where} {measure}{unit}"
                lines.append([name, f"{one.mean:.{digits}f}{spread}", ends, str(one.n)])
    if lines:
        show_table("Measures", ["measure", "mean ± sd", "range", "n"], lines)
