"""Bones and cartilage of known thickness, as functions of points and as labels on any grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kneecascade.biomarkers.field import grid_of
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3, Geometry

Depth = Callable[[np.ndarray], np.ndarray]
"""Points (N, 3) in mm about the solid's middle to height over the bone's surface, negative inside it."""

SPACINGS: tuple[Float3, ...] = (
    (0.365, 0.365, 0.7),
    (0.5, 0.5, 0.5),
    (0.3125, 0.8, 0.3125),
    (1.0, 0.4, 0.4),
)


def sphere(radius_mm: float) -> Depth:
    return lambda points: np.linalg.norm(points, axis=1) - radius_mm


def cylinder(radius_mm: float, axis: np.ndarray) -> Depth:
    unit = axis / np.linalg.norm(axis)
    return lambda points: np.linalg.norm(points - np.outer(points @ unit, unit), axis=1) - radius_mm


def plane(normal: np.ndarray) -> Depth:
    unit = normal / np.linalg.norm(normal)
    return lambda points: points @ unit


def turned(seed: int) -> np.ndarray:
    """Returns a random rotation; the identity for seed 0."""
    if seed == 0:
        return np.eye(3)
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return matrix * np.sign(np.linalg.det(matrix))


def box_geometry(spacing_mm: Float3, extent_mm: float, direction: np.ndarray) -> Geometry:
    """Returns a cubic grid whose middle lies at the origin of LPS space."""
    z, y, x = (int(np.ceil(extent_mm / step)) for step in spacing_mm)
    half = (np.array([x, y, z]) - 1) / 2 * np.array(spacing_mm[::-1])
    first, second, third = (float(v) for v in -direction @ half)
    return Geometry((z, y, x), spacing_mm, (first, second, third), tuple(direction.ravel().tolist()))


def points_of(geometry: Geometry) -> np.ndarray:
    """Returns the voxel centres (N, 3) in LPS mm."""
    index = np.indices(geometry.shape_zyx).reshape(3, -1).T.astype(float)
    return grid_of(geometry).to_mm(index)


def layered(depth: Depth, thickness_mm: float, geometry: Geometry) -> LabelVolume:
    """Returns labels: 1 bone, 2 the layer on it."""
    height = depth(points_of(geometry))
    labels = np.where(height < 0, 1, np.where(height < thickness_mm, 2, 0)).astype(np.int16)
    return LabelVolume(labels.reshape(geometry.shape_zyx), geometry)
