"""Procedural cartilage and menisci: how thick the layer is over each point of a bone."""

from __future__ import annotations

import numpy as np

from kneecascade.phantom.bones import Bones, Build

EDGE_MM = 4.0
"""Over this distance a cartilage thins out towards its border."""
THINNEST_MM = 0.4
"""What would be thinner is bare bone."""


def femoral_thickness(bones: Bones, build: Build, draw: np.random.Generator) -> np.ndarray:
    """Returns the femoral cartilage's thickness in mm over the nearest bone; 0 where bone is bare.

    It covers the trochlea in front and both condyles to far behind; the notch is bare.
    """
    z, y, x = bones.points
    angle = np.degrees(np.arctan2(y - 3.0, 24.0 - z))  # 0 below, 90 behind, -90 in front
    covered = _ramp(angle + 128.0, 12.0) * _ramp(112.0 - angle, 12.0)
    width = np.where(angle < -60.0, 24.0, 34.0)
    covered = covered * _ramp(width - np.abs(x), EDGE_MM) * _ramp(bones.notch - 1.5, EDGE_MM)
    return _finish(build.femoral_mm * covered, bones, build, draw, bones.femur)


def tibial_thickness(bones: Bones, build: Build, draw: np.random.Generator) -> np.ndarray:
    """Returns the tibial cartilage's thickness in mm: an ellipse under each condyle."""
    z, y, x = bones.points
    covered = np.zeros(bones.tibia.shape, dtype=np.float32)
    for middle in (-build.condyle_mm, build.condyle_mm):
        radius = np.sqrt(((y - 3.0) / 20.0) ** 2 + ((x - middle) / 14.0) ** 2)
        covered = np.maximum(covered, _ramp((1.0 - radius) * 16.0, EDGE_MM) * _ramp(z + 9.0, 3.0))
    return _finish(build.tibial_mm * covered, bones, build, draw, bones.tibia)


def patellar_thickness(bones: Bones, build: Build, draw: np.random.Generator) -> np.ndarray:
    """Returns the patellar cartilage's thickness in mm: most of the patella's rear face."""
    z, y, x = bones.points
    high, deep, side = bones.patella_centre_mm
    radius = np.sqrt(((z - high) / 18.0) ** 2 + ((x - side) / 19.0) ** 2)
    covered = _ramp((1.0 - radius) * 18.0, EDGE_MM) * _ramp(y - deep - 1.0, 2.0)
    return _finish(build.patellar_mm * covered, bones, build, draw, bones.patella)


def meniscus(bones: Bones, build: Build) -> np.ndarray:
    """Returns a field that is positive in the menisci, before bones and cartilage are taken out."""
    _, y, x = bones.points
    best = np.full(bones.tibia.shape, -10.0, dtype=np.float32)
    for middle in (-build.condyle_mm, build.condyle_mm):
        radius = np.sqrt(((y - 3.0) / 23.0) ** 2 + ((x - middle * 1.08) / 17.0) ** 2)
        ring = np.minimum(radius - 0.62, 1.0 - radius) * 18.0
        inner = np.abs(x) - 6.0
        best = np.maximum(best, np.minimum(ring, inner))
    reach = np.minimum(7.0 - bones.femur, 7.0 - bones.tibia)
    return np.minimum(best, reach)


def _ramp(value: np.ndarray, width: float) -> np.ndarray:
    """Rises smoothly from 0 at 0 to 1 at `width`."""
    t = np.clip(value / width, 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def _finish(
    thickness: np.ndarray, bones: Bones, build: Build, draw: np.random.Generator, bone: np.ndarray
) -> np.ndarray:
    """Adds focal lesions on the bone's covered surface; what is too thin is bare."""
    surface = np.argwhere((np.abs(bone) < 1.0) & (thickness > 1.0))
    z, y, x = bones.points
    for _ in range(build.lesions if len(surface) else 0):
        a, b, c = surface[draw.integers(len(surface))]
        away = (z - z[a, 0, 0]) ** 2 + (y - y[0, b, 0]) ** 2 + (x - x[0, 0, c]) ** 2
        size, depth = draw.uniform(2.0, 5.0), draw.uniform(0.3, 1.3)
        thickness = thickness * np.clip(1.0 - depth * np.exp(-away / (2 * size**2)), 0.0, 1.0)
    return np.where(thickness < THINNEST_MM, 0.0, thickness).astype(np.float32)
