"""Sub-regions of the three joint surfaces: halves, femoral parts, tibial fields.

Coordinates are mm (across, back, up) of `Frame.coordinates`; across runs to the lateral side, so the
same rules serve left and right knees. Rules after Wirth and Eckstein 2008: the weight-bearing femur
reaches from the notch 60 % of the way to the posterior end of each condyle, in thirds of its width; the
middle of a tibial plateau is an ellipse of 20 % of its area about its centre.
"""

from __future__ import annotations

import numpy as np

from kneecascade.biomarkers.frame import split_in_two
from kneecascade.biomarkers.inner import fit_circle

WEIGHT_BEARING = 0.6
CENTRAL_SHARE = 0.2
STRIP_MM = 3.0
"""The notch is looked for this near to the middle of the femur."""
SLAB_MM = 3.0
"""Width in thirds is taken in slabs this deep from front to back."""

Regions = dict[str, np.ndarray]


def tibial_regions(points: np.ndarray, areas_mm2: np.ndarray, sided: bool) -> Regions:
    """Returns the plateaus and their five fields: cMTC, eMTC, iMTC, aMTC, pMTC and the same LTC.

    The ellipse has the plateau's own proportions, standard deviations across and back, about its
    centre of area. The fields around it meet on the diagonals in the same proportions.

    Args:
        points: (N, 3) of the plateaus' bone (tAB).
        areas_mm2: (N,) of each vertex.
        sided: whether the side is known; without it nothing is returned.
    """
    if not sided or not len(points):
        return {}
    found: Regions = {}
    lateral = points[:, 0] > split_in_two(points[:, 0])
    for half, letter, outward in ((~lateral, "M", -1.0), (lateral, "L", 1.0)):
        found["lateral" if letter == "L" else "medial"] = half
        for name, field in _fields(points[:, :2], areas_mm2, half, outward).items():
            found[f"{name}{letter}TC"] = field
    return found


def femoral_regions(points: np.ndarray, sided: bool) -> Regions:
    """Returns anterior, weight_bearing, posterior; with a side also the condyles and their parts.

    The parts are aMFC, ecMFC, ccMFC, icMFC, pMFC and the same LFC; e is the outer third of the
    condyle, i the one beside the notch.

    Args:
        points: (N, 3) of the femur's joint surface (tAB).
        sided: whether medial and lateral can be told apart.
    """
    if not len(points):
        return {}
    middle, notch = _middle_and_notch(points)
    below = points[:, 2] <= fit_circle(points[:, 1:])[0][1]
    upper, back = points[:, 0] > middle, points[:, 1]
    anterior, central = back <= notch, np.zeros(len(points), dtype=bool)
    for half in (~upper, upper):
        if half.any():
            end = notch + WEIGHT_BEARING * (back[half].max() - notch)
            # a condyle's upper end curls forward again; it stays posterior
            central |= half & ~anterior & (back <= end) & below
    posterior = ~anterior & ~central
    found = {"anterior": anterior, "weight_bearing": central, "posterior": posterior}
    if sided:
        for half, letter, outward in ((~upper, "M", -1.0), (upper, "L", 1.0)):
            found["lateral" if letter == "L" else "medial"] = half
            found[f"a{letter}FC"], found[f"p{letter}FC"] = anterior & half, posterior & half
            found |= _thirds(points, central & half, outward, letter)
    return found


def patellar_regions(points: np.ndarray, sided: bool) -> Regions:
    """Returns the medial and the lateral half, either side of the middle of its width."""
    if not sided or not len(points):
        return {}
    lateral = points[:, 0] > (points[:, 0].min() + points[:, 0].max()) / 2
    return {"medial": ~lateral, "lateral": lateral}


def _fields(flat: np.ndarray, areas_mm2: np.ndarray, half: np.ndarray, outward: float) -> Regions:
    if not half.any():
        return dict.fromkeys("ceiap", half)
    weights = areas_mm2[half] + 1e-12
    centre = np.average(flat[half], axis=0, weights=weights)
    spread = np.sqrt(np.average((flat[half] - centre) ** 2, axis=0, weights=weights))
    across, back = ((flat - centre) / np.maximum(spread, 1e-6)).T
    radius = np.hypot(across, back)
    order = np.argsort(radius[half])
    reached = np.cumsum(weights[order]) <= CENTRAL_SHARE * weights.sum()
    limit = radius[half][order][max(int(reached.sum()) - 1, 0)]
    central = half & (radius <= limit)
    rest, wide = half & ~central, np.abs(across) > np.abs(back)
    return {
        "c": central,
        "e": rest & wide & (across * outward > 0),
        "i": rest & wide & (across * outward <= 0),
        "a": rest & ~wide & (back <= 0),
        "p": rest & ~wide & (back > 0),
    }


def _middle_and_notch(points: np.ndarray) -> tuple[float, float]:
    """Returns where the femur's middle is (across) and how far back its notch begins.

    The middle lies between the condyles' back halves, which the notch parts. The notch begins where
    the joint surface in the middle strip, followed from the front, ends.
    """
    behind = points[:, 1] > np.median(points[:, 1])
    middle = split_in_two(points[behind, 0])
    strip = np.abs(points[:, 0] - middle) < STRIP_MM
    return middle, float(np.percentile(points[strip if strip.any() else behind, 1], 99.5))


def _thirds(points: np.ndarray, part: np.ndarray, outward: float, letter: str) -> Regions:
    """Cuts a weight-bearing condyle into thirds of its width, slab by slab from front to back."""
    names = (f"ic{letter}FC", f"cc{letter}FC", f"ec{letter}FC")
    found = {name: np.zeros(len(points), dtype=bool) for name in names}
    if part.any():
        outer, back = points[part, 0] * outward, points[part, 1]
        slab = ((back - back.min()) / SLAB_MM).astype(int)
        low, high = np.full(slab.max() + 1, np.inf), np.full(slab.max() + 1, -np.inf)
        np.minimum.at(low, slab, outer)
        np.maximum.at(high, slab, outer)
        share = (outer - low[slab]) / np.maximum(high[slab] - low[slab], 1e-6)
        third = np.minimum((share * 3).astype(int), 2)
        for k, name in enumerate(names):
            found[name][np.flatnonzero(part)[third == k]] = True
    return found
