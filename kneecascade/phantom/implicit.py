"""Implicit solids in mm: functions of position that are negative inside, near to distances outside.

Points are three arrays (z, y, x) in mm that broadcast: z towards the head, y backwards, x to the left.
"""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3

Points = tuple[np.ndarray, np.ndarray, np.ndarray]


def ellipsoid(points: Points, centre_mm: Float3, radii_mm: Float3) -> np.ndarray:
    """An ellipsoid; the value is exact to first order near the surface."""
    scaled = [(p - c) / r for p, c, r in zip(points, centre_mm, radii_mm, strict=True)]
    length = np.sqrt(sum(s**2 for s in scaled)) + 1e-6
    steep = np.sqrt(sum((s / r) ** 2 for s, r in zip(scaled, radii_mm, strict=True))) / length + 1e-6
    return ((length - 1) / steep).astype(np.float32)


def cone(
    points: Points, foot_mm: Float3, top_mm: Float3, foot_radius: float, top_radius: float
) -> np.ndarray:
    """A round-ended cone between two points, as bone shafts are."""
    axis = np.subtract(top_mm, foot_mm)
    share = sum((p - f) * a for p, f, a in zip(points, foot_mm, axis, strict=True)) / float(axis @ axis)
    share = np.clip(share, 0, 1)
    offsets = [p - f - share * a for p, f, a in zip(points, foot_mm, axis, strict=True)]
    radius = foot_radius + share * (top_radius - foot_radius)
    return (np.sqrt(sum(o**2 for o in offsets)) - radius).astype(np.float32)


def union(a: np.ndarray, b: np.ndarray, blend_mm: float) -> np.ndarray:
    """Joins two solids with a fillet (polynomial smooth minimum)."""
    h = np.clip(0.5 + 0.5 * (b - a) / blend_mm, 0, 1)
    return b + h * (a - b) - blend_mm * h * (1 - h)


def without(a: np.ndarray, b: np.ndarray, blend_mm: float) -> np.ndarray:
    """Cuts the second solid out of the first, the edge rounded."""
    return -union(-a, b, blend_mm)


def to_distance(field: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    """Divides a field by the length of its gradient: a distance in mm near its zero surface."""
    gradient = np.gradient(field, *spacing_mm)
    return field / np.clip(np.sqrt(sum(g**2 for g in gradient)), 0.3, None)
