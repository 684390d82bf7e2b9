"""What of a knee's measures falls out of published ranges."""

from __future__ import annotations

from collections.abc import Iterable

from kneecascade.biomarkers.measures import NORMAL
from kneecascade.biomarkers.table import WHOLE, Row
from kneecascade.core.reference_ranges import MEAN_THICKNESS_RANGE_MM, volume_range_ml


def out_of_range(rows: Iterable[Row]) -> list[str]:
    """Returns one line for each volume and mean thickness of a whole cartilage that is out of range."""
    found = []
    for row in rows:
        limits = _limits(row)
        if limits and row.value is not None and not limits[0] <= row.value <= limits[1]:
            low, high = limits
            found.append(
                f"{row.structure}: {row.measure} {row.value:.2f} {row.unit} is outside {low:g} to {high:g}"
            )
    return found


def _limits(row: Row) -> tuple[float, float] | None:
    if row.region != WHOLE:
        return None
    if row.measure == "volume":
        return volume_range_ml(row.structure)
    if row.measure == "ThCcAB" and row.method.startswith(NORMAL):
        return MEAN_THICKNESS_RANGE_MM
    return None
