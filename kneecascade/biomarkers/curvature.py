"""Curvature of a surface, from a quadric fitted around every vertex."""

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
METHOD = f"quadric fitted within {RADIUS_MM:g} mm, border excluded; convex positive"


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
    """Fits z = a x^2 + b x y + c y^2 + d x + e y + f around each vertex, z along its normal.

    Principal curvatures are those of the fitted quadric at the vertex, from its first and second
    fundamental forms, so a tilted normal does not change them.

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
    x, y, z = (np.einsum("nkj,nj->nk", gap, axis) for axis in (across, along, normals[part]))
    # nearer neighbours count more; the fit fades out at the radius
    weight = np.where(there, np.maximum(1 - (distance / radius_mm) ** 2, 0), 0.0)
    terms = np.stack([x * x, x * y, y * y, x, y, np.ones_like(x)], axis=-1)
    scale = np.array([radius_mm**2] * 3 + [radius_mm] * 2 + [1.0])
    terms = np.where(there[..., None], terms / scale, 0.0)
    normal_matrix = np.einsum("nk,nki,nkj->nij", weight, terms, terms) + 1e-12 * np.eye(6)
    right = np.einsum("nk,nki,nk->ni", weight, terms, np.where(there, z, 0.0))
    a, b, c, d, e, _ = (np.linalg.solve(normal_matrix, right[..., None])[..., 0] / scale).T
    found = _principal(a, b, c, d, e)
    found[there.sum(axis=1) < FEWEST_NEIGHBOURS] = np.nan
    return found


def _principal(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Returns the principal curvatures of z = a x^2 + b x y + c y^2 + d x + e y at 0, convex positive."""
    length = np.sqrt(1 + d * d + e * e)
    first = (1 + d * d, d * e, 1 + e * e)
    # z falls away from a convex surface's tangent plane, hence the sign
    second = (-2 * a / length, -b / length, -2 * c / length)
    area = first[0] * first[2] - first[1] ** 2
    gaussian = (second[0] * second[2] - second[1] ** 2) / area
    mean = (first[0] * second[2] - 2 * first[1] * second[1] + first[2] * second[0]) / (2 * area)
    spread = np.sqrt(np.maximum(mean**2 - gaussian, 0))
    return np.stack([mean - spread, mean + spread], axis=1)


def _tangents(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns two unit vectors (N, 3) at right angles to each normal and each other."""
    helper = np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    across = unit(np.cross(normals, helper))
    return across, np.cross(normals, across)
