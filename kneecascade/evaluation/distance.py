"""Distances between two surfaces, each element weighted with its area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from kneecascade.core.geometry import Float3
from kneecascade.evaluation.surface import Surface

ROUNDING_MM = 1e-6
"""Two elements a tolerance apart count as within it, whatever floating point makes of it."""
NEAR_MM = 3.0
"""A search in the tree is quick up to here."""
MOST_FAR = 2000
"""More elements farther than that are worth a distance transform, which takes as long for one as for all."""


@dataclass(frozen=True, eq=False)
class Distances:
    """From each element of one surface to the nearest element of the other, both ways.

    Attributes:
        from_reference_mm: one distance an element of the reference.
        reference_mm2: its area.
        from_predicted_mm: one distance an element of the prediction.
        predicted_mm2: its area.
    """

    from_reference_mm: np.ndarray
    reference_mm2: np.ndarray
    from_predicted_mm: np.ndarray
    predicted_mm2: np.ndarray

    @property
    def assd_mm(self) -> float:
        """Average symmetric surface distance: mean over the area of both surfaces together."""
        return self._mean(1)

    @property
    def rmsd_mm(self) -> float:
        """Root mean square symmetric surface distance, over the area of both surfaces together."""
        return float(np.sqrt(self._mean(2)))

    @property
    def hd_mm(self) -> float:
        """Hausdorff distance: the largest distance either way."""
        return float(max(self.from_reference_mm.max(initial=0), self.from_predicted_mm.max(initial=0)))

    def percentile_mm(self, percent: float) -> float:
        """Returns the larger of the two directions' percentiles; 95 gives HD95.

        The percentile is the smallest distance that this share of the surface's area does not exceed.
        """
        return max(
            _percentile(self.from_reference_mm, self.reference_mm2, percent),
            _percentile(self.from_predicted_mm, self.predicted_mm2, percent),
        )

    def surface_dice(self, tolerance_mm: float) -> float:
        """Returns the normalised surface Dice: the share of both surfaces' area within a tolerance."""
        limit = tolerance_mm + ROUNDING_MM
        within = self.reference_mm2[self.from_reference_mm <= limit].sum()
        within += self.predicted_mm2[self.from_predicted_mm <= limit].sum()
        return float(within / (self.reference_mm2.sum() + self.predicted_mm2.sum()))

    def _mean(self, power: int) -> float:
        total = (self.from_reference_mm**power * self.reference_mm2).sum()
        total += (self.from_predicted_mm**power * self.predicted_mm2).sum()
        return float(total / (self.reference_mm2.sum() + self.predicted_mm2.sum()))


def surface_distances(
    reference: Surface, predicted: Surface, measured: np.ndarray | None = None
) -> Distances | None:
    """Measures from each element to the nearest of the other surface.

    Args:
        reference: of a box.
        predicted: of the same box.
        measured: bool, of the shape of the surfaces' areas: elements elsewhere are not measured from,
            but are measured to; None measures all.

    Returns:
        None where a surface has no element, or where none is measured.
    """
    truth, guess = reference.there, predicted.there
    if not (truth.any() and guess.any()):
        return None
    here = truth if measured is None else truth & measured
    there = guess if measured is None else guess & measured
    if not (here.any() or there.any()):
        return None
    return Distances(
        _nearest_mm(here, guess, reference.spacing_mm),
        reference.areas_mm2[here].astype(np.float64),
        _nearest_mm(there, truth, reference.spacing_mm),
        predicted.areas_mm2[there].astype(np.float64),
    )


def _nearest_mm(start: np.ndarray, goal: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    """Returns the distance of each `start` to the nearest `goal`, in the order of np.nonzero.

    Most elements of a good prediction coincide or lie near: a tree of the goals finds these in a time that
    grows with surface, not volume. Where many are far, a distance transform is quicker. Both are exact.
    """
    apart = ~goal[start]
    found = np.zeros(apart.size)
    if not apart.any():
        return found
    tree = cKDTree(np.argwhere(goal) * np.asarray(spacing_mm))
    wanted = np.argwhere(start)[apart] * np.asarray(spacing_mm)
    near = tree.query(wanted, distance_upper_bound=NEAR_MM)[0]
    far = np.isinf(near)
    if np.count_nonzero(far) > MOST_FAR:
        return ndimage.distance_transform_edt(~goal, sampling=spacing_mm)[start]
    if far.any():
        near[far] = tree.query(wanted[far])[0]
    found[apart] = near
    return found


def _percentile(distances: np.ndarray, areas: np.ndarray, percent: float) -> float:
    if not distances.size:
        return 0.0
    order = np.argsort(distances, kind="stable")
    share = np.cumsum(areas[order]) / areas.sum()
    k = int(np.searchsorted(share, percent / 100))
    return float(distances[order][min(k, distances.size - 1)])
