"""Masks of shapes whose thickness, volume and curvature are known, on any grid."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3, Geometry

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def turned(degrees: float) -> tuple[float, ...]:
    """Returns the direction of a grid turned about two axes."""
    a = np.radians(degrees)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    return tuple(float(v) for v in (about_z @ about_x).ravel())


def grid_around(extent_mm: float, spacing_mm: Float3, direction: tuple[float, ...] = UPRIGHT) -> Geometry:
    """Returns a grid whose middle is the origin of the patient's space."""
    z, y, x = (int(np.ceil(extent_mm / step)) for step in spacing_mm)
    middle = (np.array([x, y, z]) - 1) / 2 * np.array(spacing_mm[::-1])
    a, b, c = (float(v) for v in -np.array(direction).reshape(3, 3) @ middle)
    return Geometry((z, y, x), spacing_mm, (a, b, c), direction)


def points_mm(geometry: Geometry) -> np.ndarray:
    """Returns the LPS place (Z, Y, X, 3) of every voxel."""
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)[..., ::-1] * np.array(
        geometry.spacing_mm[::-1]
    )
    return index @ np.array(geometry.direction_xyz).reshape(3, 3).T + np.array(geometry.origin_mm_xyz)


def ball_with_cap(geometry: Geometry, radius_mm: float, thickness_mm: float) -> np.ndarray:
    """Returns 1 in a ball and 2 in the layer over its upper part (within 60 degrees of the head)."""
    points = points_mm(geometry)
    distance = np.linalg.norm(points, axis=-1)
    upper = points[..., 2] > 0.5 * distance
    labels = np.where(distance <= radius_mm, 1, 0).astype(np.uint8)
    labels[(distance > radius_mm) & (distance <= radius_mm + thickness_mm) & upper] = 2
    return labels


def roll_with_layer(geometry: Geometry, radius_mm: float, thickness_mm: float) -> np.ndarray:
    """Returns 1 in a cylinder along the patient's x axis and 2 in the layer over its upper part."""
    points = points_mm(geometry)
    distance = np.linalg.norm(points[..., 1:], axis=-1)
    inside, upper = np.abs(points[..., 0]) < 25, points[..., 2] > 0.5 * distance
    labels = np.where((distance <= radius_mm) & inside, 1, 0).astype(np.uint8)
    labels[(distance > radius_mm) & (distance <= radius_mm + thickness_mm) & inside & upper] = 2
    return labels


def slab_with_layer(geometry: Geometry, thickness_mm: float) -> np.ndarray:
    """Returns 1 in a slab 12 mm thick and 2 in a square layer of 30 mm on its upper side."""
    points = points_mm(geometry)
    height, flat = points[..., 2], np.abs(points[..., :2]).max(axis=-1)
    labels = np.where((height <= 0) & (height > -12) & (flat < 22), 1, 0).astype(np.uint8)
    labels[(height > 0) & (height <= thickness_mm) & (flat < 15)] = 2
    return labels
