"""The part of a bone's surface that cartilage covers, and the part it should cover."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from kneecascade.biomarkers.mesh import Mesh, neighbours

COVERED = 0.25
"""Share of smoothed cartilage at the bone's surface: one half of what lies outside the bone."""
CLOSING_MM = 3.0
"""Bays of the footprint narrower than twice this are filled."""
TAB_METHOD = f"footprint closed by {CLOSING_MM:g} mm on the bone surface, holes filled"


def with_gaps_filled(bone: np.ndarray, cartilage: np.ndarray) -> np.ndarray:
    """Returns the cartilage with the voxels between it and its bone.

    A voxel is taken where bone and cartilage touch it from opposite sides, along one array axis: the
    single-voxel gaps of drawn masks. The foot of a cartilage's edge, touched from two neighbouring
    sides, stays as it is.

    Args:
        bone: bool (Z, Y, X).
        cartilage: bool (Z, Y, X).
    """
    filled = cartilage.copy()
    for axis in range(3):
        low, middle, high = ([slice(None)] * 3 for _ in range(3))
        low[axis], middle[axis], high[axis] = slice(None, -2), slice(1, -1), slice(2, None)
        a, m, b = tuple(low), tuple(middle), tuple(high)
        filled[m] |= ((bone[a] & cartilage[b]) | (bone[b] & cartilage[a])) & ~bone[m]
    return filled


def closed_footprint(mesh: Mesh, covered: np.ndarray) -> np.ndarray:
    """Returns bool (N,): the total area of subchondral bone (tAB) about a covered footprint.

    A closing by `CLOSING_MM` (straight distances between vertices), then every patch that the
    footprint encloses is filled. Bare bone at the footprint's rim stays outside: a mask cannot tell
    where cartilage was.

    Args:
        mesh: the bone's surface.
        covered: bool (N,).
    """
    if not covered.any() or covered.all():
        return covered.copy()
    points = mesh.vertices_mm
    # only bone near the footprint can be closed; the rest of a shaft would only cost time
    near = np.flatnonzero(_within(points, points[covered], 3 * CLOSING_MM))
    part, inside = points[near], covered[near]
    grown = _within(part, part[inside], CLOSING_MM)
    closed = inside | ~_within(part, part[~grown], CLOSING_MM) if (~grown).any() else grown
    total = covered.copy()
    total[near[closed & grown]] = True
    return _holes_filled(mesh, total)


def _within(points: np.ndarray, others: np.ndarray, reach_mm: float) -> np.ndarray:
    if not len(others):
        return np.zeros(len(points), dtype=bool)
    distance, _ = cKDTree(others).query(points, distance_upper_bound=reach_mm)
    return np.isfinite(distance)


def _holes_filled(mesh: Mesh, inside: np.ndarray) -> np.ndarray:
    """Fills outside patches that are not the largest one and are all surrounded by the inside."""
    outside = np.flatnonzero(~inside)
    if not outside.size:
        return inside
    joined = neighbours(mesh)
    count, patch = csgraph.connected_components(joined[outside][:, outside], directed=False)
    touching = (joined[outside] @ inside.astype(np.float32)) > 0
    sizes = np.bincount(patch, minlength=count)
    surrounded = ndimage.maximum(touching, patch, np.arange(count)).astype(bool)
    surrounded &= sizes < sizes.max() if count > 1 else np.zeros(count, dtype=bool)
    filled = inside.copy()
    filled[outside[surrounded[patch]]] = True
    return filled
