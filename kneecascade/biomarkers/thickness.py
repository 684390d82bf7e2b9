"""Cartilage thickness from its inner surface: along the normal, and to the nearest point."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from kneecascade.biomarkers.field import Field
from kneecascade.biomarkers.mesh import LEVEL, Mesh, vertex_normals

CAP_MM = 10.0
"""No knee cartilage is thicker; a ray that finds no surface before is cut here."""
STEP_MM = 0.2
TIES, TIE_MM = 4, 1e-4
"""How many vertices may be equally near, and what is equal."""


def along_normals(points_mm: np.ndarray, normals: np.ndarray, outer: Field) -> np.ndarray:
    """Returns how far each point is from where `outer` first falls under one half along its normal.

    Args:
        points_mm: (N, 3), LPS, on the inner surface.
        normals: (N, 3), away from the bone.
        outer: smoothed mask of bone with cartilage.

    Returns:
        (N,) in mm, 0 where the point is outside already, at most `CAP_MM`.
    """
    steps = np.arange(0.0, CAP_MM + STEP_MM, STEP_MM)
    found = np.full(len(points_mm), CAP_MM)
    alive, before = np.arange(len(points_mm)), outer.at(points_mm)
    found[before < LEVEL] = 0.0
    alive, before = alive[before >= LEVEL], before[before >= LEVEL]
    for start, stop in pairwise(steps):
        if not alive.size:
            break
        after = outer.at(points_mm[alive] + stop * normals[alive])
        ends = after < LEVEL
        share = (before[ends] - LEVEL) / (before[ends] - after[ends])
        found[alive[ends]] = start + share * (stop - start)
        alive, before = alive[~ends], after[~ends]
    return np.minimum(found, CAP_MM)


def to_nearest(points_mm: np.ndarray, surface: Mesh) -> np.ndarray:
    """Returns the distance of each point to the nearest point of a surface, NaN where there is none.

    The nearest vertex is looked up; where the point lies over the plane through that vertex, the
    distance to the plane counts, so that the mesh's coarseness does not lengthen it.

    Returns:
        (N,) in mm.
    """
    if not len(surface.vertices_mm):
        return np.full(len(points_mm), np.nan)
    normals = vertex_normals(surface)
    # all three edges: which comes first is another one in a mirrored knee
    edges = np.diff(surface.vertices_mm[surface.faces[:, [0, 1, 2, 0]]], axis=1)
    reach = float(np.linalg.norm(edges, axis=2).mean())
    many = min(TIES, len(surface.vertices_mm))
    distance, nearest = cKDTree(surface.vertices_mm).query(points_mm, k=list(range(1, many + 1)))
    gap = points_mm[:, None] - surface.vertices_mm[nearest]
    across = np.abs(np.einsum("nkj,nkj->nk", gap, normals[nearest]))
    beside = np.sqrt(np.maximum(distance**2 - across**2, 0))
    # of vertices that are equally near the shortest: rounding decides which of them is found first
    tied = distance <= distance[:, :1] + TIE_MM
    shortest: np.ndarray = np.where(tied, np.where(beside <= reach, across, distance), np.inf).min(axis=1)
    return shortest
