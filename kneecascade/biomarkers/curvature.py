"""Curvature of a surface, from how its normals turn around every vertex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from kneecascade.biomarkers.mesh import Mesh, border, unit, vertex_normals

RADIUS_MM = 5.0
"""Length over which curvature is smoothed: of the surface around a vertex that is fitted."""
MOST_NEIGHBOURS = 400
FEWEST_NEIGHBOURS = 8
CHUNK = 1000
METHOD = f"turn of normals fitted within {RADIUS_MM:g} mm, border excluded; convex positive"


@dataclass(frozen=True, eq=False)
class Curvature:
    """One entry a vertex; NaN where the border is too near or too few neighbours lie.

    Attributes:
        mean_per_mm: H, half the sum of the principal curvatures, 1/mm; positive where convex.
        gaussian_per_mm2: K, their product, 1/mm2.
        largest_per_mm: larger principal curvature, 1/mm.
        smallest_per_mm: smaller principal curvature, 1/mm.
        shape_index: -1 cup, 0 saddle, 1 cap (Koenderink and van Doorn 1992).
    """

    mean_per_mm: np.ndarray
    gaussian_per_mm2: np.ndarray
    largest_per_mm: np.ndarray
    smallest_per_mm: np.ndarray
    shape_index: np.ndarray


def curvature(mesh: Mesh, keep: np.ndarray | None = None, radius_mm: float = RADIUS_MM) -> Curvature:
    """Fits the shape operator around each vertex: how normals turn with the place, both in the tangent plane.

    On a sphere and on a cylinder the normal's tangential part is proportional to the place at any
    distance, so that the fit is exact there, where a quadric fitted to heights is not.

    Args:
        mesh: the surface; empty gives empty arrays.
        keep: bool (N,), vertices wanted, or None for all. What is not kept still supports the fit.
        radius_mm: of the fit; vertices nearer than this to the surface's open border get NaN.
    """
    count = len(mesh.vertices_mm)
    principal = np.full((count, 2), np.nan)
    wanted = np.flatnonzero(np.ones(count, bool) if keep is None else keep)
    if wanted.size:
        tree, normals = cKDTree(mesh.vertices_mm), vertex_normals(mesh)
        wanted = wanted[~_near_border(mesh, wanted, radius_mm)]
        for start in range(0, wanted.size, CHUNK):
            part = wanted[start : start + CHUNK]
            principal[part] = _fit(mesh.vertices_mm, normals, tree, part, radius_mm)
    low, high = principal.T
    mean, gaussian = (low + high) / 2, low * high
    with np.errstate(invalid="ignore", divide="ignore"):
        index = 2 / np.pi * np.arctan2(high + low, high - low)
    return Curvature(mean, gaussian, high, low, index)


def _near_border(mesh: Mesh, wanted: np.ndarray, radius_mm: float) -> np.ndarray:
    edge = mesh.vertices_mm[border(mesh)]
    if not len(edge):
        return np.zeros(wanted.size, dtype=bool)
    distance, _ = cKDTree(edge).query(mesh.vertices_mm[wanted], distance_upper_bound=radius_mm)
    return np.isfinite(distance)


def _fit(
    points: np.ndarray, normals: np.ndarray, tree: cKDTree, part: np.ndarray, radius_mm: float
) -> np.ndarray:
    """Returns (n, 2) principal curvatures, smaller first; NaN where there are too few neighbours."""
    many = min(MOST_NEIGHBOURS, len(points))
    distance, near = tree.query(points[part], k=many, distance_upper_bound=radius_mm)
    distance, near = np.atleast_2d(distance), np.atleast_2d(near)
    there = np.isfinite(distance)
    near = np.where(there, near, 0)
    # the other side of a thin sheet, or of the opposite condyle, is no neighbour
    there &= np.einsum("nkj,nj->nk", normals[near], normals[part]) > 0
    across, along = _tangents(normals[part])
    gap = points[near] - points[part][:, None]
    x, y, u, v = (
        np.einsum("nkj,nj->nk", vectors, axis) for vectors in (gap, normals[near]) for axis in (across, along)
    )
    # nearer neighbours count more; the fit fades out at the radius
    weight = np.where(there, np.maximum(1 - (distance / radius_mm) ** 2, 0), 0.0)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    x, y, u, v = (values - (weight * values).sum(axis=1, keepdims=True) for values in (x, y, u, v))
    found = _principal(weight, x, y, u, v)
    found[there.sum(axis=1) < FEWEST_NEIGHBOURS] = np.nan
    return found


def _principal(weight: np.ndarray, x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns (n, 2) principal curvatures of normals (u, v) over places (x, y), all centred, (n, k).

    Weighted least squares for (u, v) = W (x, y); W, made symmetric, is the shape operator.
    """
    xx, xy, yy = ((weight * a * b).sum(axis=1) for a, b in ((x, x), (x, y), (y, y)))
    ux, uy, vx, vy = ((weight * a * b).sum(axis=1) for a in (u, v) for b in (x, y))
    determinant = xx * yy - xy * xy
    safe = np.where(determinant > 1e-9, determinant, np.nan)
    first = (ux * yy - uy * xy) / safe
    mixed = ((uy * xx - ux * xy) + (vx * yy - vy * xy)) / (2 * safe)
    last = (vy * xx - vx * xy) / safe
    mean, spread = (first + last) / 2, np.hypot((first - last) / 2, mixed)
    return np.stack([mean - spread, mean + spread], axis=1)


def _tangents(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns two unit vectors (N, 3) at right angles to each normal and each other."""
    helper = np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    across = unit(np.cross(normals, helper))
    return across, np.cross(normals, across)
