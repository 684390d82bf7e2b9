"""The knee's own directions: lateral, posterior, superior, found from where its cartilage lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.biomarkers.mesh import unit
from kneecascade.core.case import Side

LEFT, POSTERIOR, SUPERIOR = np.eye(3)
"""LPS space runs to the patient's left, back and head."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Directions of a knee in LPS space, unit vectors at right angles.

    Attributes:
        side: of the body.
        across: towards the outer (lateral) side; towards the patient's left where the side is unknown.
        back: towards the back of the knee.
        up: towards the hip.
    """

    side: Side
    across: np.ndarray
    back: np.ndarray
    up: np.ndarray

    def coordinates(self, points_mm: np.ndarray) -> np.ndarray:
        """Returns (N, 3): mm across, back and up of LPS points."""
        return points_mm @ np.stack([self.across, self.back, self.up], axis=1)


def find_frame(side: Side, tibial_mm: np.ndarray | None) -> Frame:
    """Finds a knee's directions.

    Up is the patient's. Across is the line between the middles of the two tibial plateaus, seen from
    above, so that a knee turned in the scanner is measured along its own axes; without tibial
    cartilage, the patient's left-right axis.

    Args:
        side: of the body.
        tibial_mm: (N, 3) LPS points of the tibial cartilage, or None.
    """
    axis = LEFT if tibial_mm is None or len(tibial_mm) < 10 else _between_plateaus(tibial_mm)
    across = -axis if side == "right" else axis
    # the patient's back, at a right angle to the knee's width
    back = unit(POSTERIOR - (POSTERIOR @ across) * across)
    return Frame(side, across, back, SUPERIOR)


def split_in_two(values: np.ndarray) -> float:
    """Returns the value in the middle of the gap between two groups of numbers.

    Groups are found by two-means from the extremes; the gap lies between the 99th percentile of the
    lower and the first of the upper group.
    """
    low, high = np.percentile(values, (5, 95))
    for _ in range(20):
        upper = values > (low + high) / 2
        if not upper.any() or upper.all():
            break
        low, high = float(values[~upper].mean()), float(values[upper].mean())
    upper = values > (low + high) / 2
    if not upper.any() or upper.all():
        return float((low + high) / 2)
    return float((np.percentile(values[~upper], 99) + np.percentile(values[upper], 1)) / 2)


def _between_plateaus(points_mm: np.ndarray) -> np.ndarray:
    """Returns the unit vector, at a right angle to up, from the right to the left plateau."""
    axis = LEFT
    for _ in range(3):
        along = points_mm @ axis
        upper = along > split_in_two(along)
        if not upper.any() or upper.all():
            return LEFT
        line = points_mm[upper].mean(axis=0) - points_mm[~upper].mean(axis=0)
        axis = unit(line - (line @ SUPERIOR) * SUPERIOR)
    # more than 45 degrees off is no knee as scanners see it
    return axis if axis @ LEFT > np.sqrt(0.5) else LEFT
