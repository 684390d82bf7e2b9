"""Published ranges of sound knees, and what falls out of them."""

from __future__ import annotations

from collections.abc import Iterable

from kneecascade.biomarkers.table import WHOLE, Row

VOLUME_ML = {
    "femoral_cartilage": (5.0, 25.0),
    "tibial_cartilage": (2.0, 9.0),
    "patellar_cartilage": (1.0, 6.0),
}
"""Outside these a volume is doubted; published means are 13.6, 5.1 and 3.5 ml."""
MEAN_THICKNESS_MM = (0.8, 4.0)
"""Outside these a mean thickness over covered bone is doubted."""


def out_of_range(rows: Iterable[Row]) -> list[str]:
    """Returns one line for each volume and mean thickness of a whole cartilage that is out of range."""
    found = []
    for row in rows:
        limits = _limits(row)
        if limits and row.value is not None and not limits[0] <= row.value <= limits[1]:
            low, high = limits
            found.append(
                f"{row.structure}: {row.measure} {row.value:.2f} {row.unit} is outside {low:g}-{high:g}"
            )
    return found


def _limits(row: Row) -> tuple[float, float] | None:
    if row.region != WHOLE:
        return None
    if row.measure == "volume":
        return VOLUME_ML.get(row.structure)
    if row.measure == "ThCcAB_mean" and row.method.startswith("surface normal"):
        return MEAN_THICKNESS_MM
    return None
