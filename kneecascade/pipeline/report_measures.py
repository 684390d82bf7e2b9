"""What a report shows of kc_biomarkers' results: numbers and thickness maps of each case."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.core.geometry import Geometry
from kneecascade.core.reference_ranges import MEAN_THICKNESS_RANGE_MM, volume_range_ml
from kneecascade.errors import InputError
from kneecascade.imaging.files import grid_difference, read_volume
from kneecascade.pipeline.biomarker_files import THICKNESS as THICKNESS_IMAGE
from kneecascade.report.slices import data_url

TABLE = "biomarkers.csv"
COLUMNS = ("case", "structure", "region", "measure", "value", "unit", "method")
THICKNESS = ("ThCtAB", "ThCcAB")
SHOWN = ("volume", *THICKNESS, "cAB", "tAB", "dAB", "FCL", "curvature_mean_median")
"""Measures that the report shows; the table of kc_biomarkers has them all."""
BONES = (("femur", "femoral"), ("tibia", "tibial"), ("patella",))
CROSS_CHECK = "nearest neighbour"


@dataclass(frozen=True)
class Measures:
    """Biomarkers of a cohort.

    Attributes:
        by_case: rows of the table, by case name.
        folder: where the maps lie; None where there are no biomarkers.
    """

    by_case: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    folder: Path | None = None

    def rows(self, case: str) -> list[dict[str, Any]]:
        """Returns the measures of a case with the range they are expected in; none if unknown."""
        return self.by_case.get(case, [])

    def maps(self, case: str) -> list[dict[str, str]]:
        """Returns the case's pictures as name and data URL: a bone after the other, thickness first."""
        if self.folder is None:
            return []
        found = sorted((self.folder / case).glob("*.png"), key=_bone_then_kind)
        return [{"name": p.stem, "image": data_url(p.read_bytes(), "image/png")} for p in found]

    def thickness(self, case: str, geometry: Geometry) -> np.ndarray | None:
        """Returns the case's thickness in mm on the grid of its image (Z, Y, X); None where there is none.

        Args:
            case: its name.
            geometry: of the image; a thickness image of another grid, of an older prediction, is not used.
        """
        file = self.folder / case / THICKNESS_IMAGE if self.folder else None
        if file is None or not file.is_file():
            return None
        found = read_volume([file])
        return None if grid_difference(geometry, found.geometry) else found.array[0]


def read_measures(folder: Path, must_exist: bool) -> Measures:
    """Reads biomarkers.csv.

    Args:
        folder: of kc_biomarkers' results.
        must_exist: whether a missing table is an error; else there are no measures.

    Raises:
        InputError: the table is missing or has other columns.
    """
    path = folder / TABLE
    if not path.is_file():
        if must_exist:
            raise InputError(f"{folder}: no {TABLE} in it; run kc_biomarkers first")
        return Measures()
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or [])]
        if missing:
            raise InputError(f"{path}: no column {missing[0]}; run kc_biomarkers again")
        for row in table:
            if row["measure"] not in SHOWN or row["method"].startswith(CROSS_CHECK):
                continue
            value = _number(row["value"])
            kept = {name: row[name] for name in COLUMNS[1:]} | {"value": value}
            kept["range"] = _range(row["structure"], row["region"], row["measure"])
            rows[row["case"]].append(kept)
    return Measures(dict(rows), folder)


def _bone_then_kind(path: Path) -> tuple[int, int, str]:
    bone = next((k for k, words in enumerate(BONES) if any(word in path.stem for word in words)), len(BONES))
    return bone, len(path.stem), path.stem


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _range(structure: str, region: str, measure: str) -> tuple[float, float] | None:
    if region not in {"", "all", "whole"}:
        return None
    if measure.startswith("volume") or measure == "VC":
        return volume_range_ml(structure)
    return MEAN_THICKNESS_RANGE_MM if measure.startswith(THICKNESS) and "_" not in measure else None
