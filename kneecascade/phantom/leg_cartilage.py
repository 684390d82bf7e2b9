"""Cartilage and menisci of a leg to train on: how thick the layers are, how far they reach, how worn."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3
from kneecascade.phantom.leg_bones import LegBones, Vary
from kneecascade.phantom.noise import smooth_field

THINNEST_MM = 0.4
"""What would be thinner is bare bone."""
DENUDED_SHARE = 0.15
WORN_MENISCUS_SHARE = 0.2


def draw_thickness(draw: np.random.Generator) -> Float3:
    """Draws the full thickness in mm of the femoral, tibial and patellar cartilage."""
    return (draw.uniform(1.6, 3.2), draw.uniform(1.6, 3.8), draw.uniform(2.0, 4.6))


def layers(bones: LegBones, full_mm: Float3, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Returns the thickness in mm of the femoral, tibial and patellar cartilage over the nearest bone."""
    vary = Vary(draw)
    makers = (_femoral, _tibial, _patellar)
    fields = (bones.femur, bones.tibia, bones.patella)
    return tuple(
        _worn(full * make(bones, vary), field, bones, draw)
        for make, full, field in zip(makers, full_mm, fields, strict=True)
    )


def menisci(bones: LegBones, draw: np.random.Generator) -> np.ndarray:
    """Returns a field that is positive in the menisci, before bones and cartilage are taken out."""
    vary = Vary(draw)
    _, y, x = bones.points
    best = np.full(bones.tibia.shape, -10.0, dtype=np.float32)
    for side, deep, wide in ((-1, 24.0, 17.5), (1, 21.0, 17.0)):
        middle, behind = vary.one(23.5 * side, 1.0), vary.one(3.0, 1.5)
        radius = np.sqrt(
            ((y - behind) / vary.one(deep, 1.0)) ** 2 + ((x - middle) / vary.one(wide, 1.0)) ** 2
        )
        inner = 0.9 if draw.random() < WORN_MENISCUS_SHARE else vary.one(0.58, 0.06)
        ring = np.minimum(radius - inner, 1.03 - radius) * 18.0
        best = np.maximum(best, np.minimum(ring, x * side - 5.0))
    reach = vary.one(7.0, 1.0)
    return np.minimum(best, np.minimum(reach - bones.femur, reach - bones.tibia)).astype(np.float32)


def _femoral(bones: LegBones, vary: Vary) -> np.ndarray:
    """The trochlea in front and both condyles to far behind; the notch is bare."""
    z, y, x = bones.points
    angle = np.degrees(np.arctan2(y - 3.0, 26.0 - z))  # 0 below, 90 behind, -90 in front
    edge = vary.one(5.0, 1.0)
    front = vary.one(122.0, 7.0) - 0.25 * np.abs(x - 3.0)
    covered = ramp(angle + front, 10.0) * ramp(vary.one(112.0, 8.0) - angle, 12.0)
    width = np.where(angle < -60.0, vary.one(25.0, 1.5), vary.one(34.0, 1.5))
    covered = covered * ramp(width - np.abs(x - 1.0), edge)
    return covered * ramp(bones.notch - vary.one(0.8, 0.4), edge)


def _tibial(bones: LegBones, vary: Vary) -> np.ndarray:
    z, y, x = bones.points
    covered = np.zeros(bones.tibia.shape, dtype=np.float32)
    for side, deep, wide in ((-1, 23.5, 16.0), (1, 21.5, 16.0)):
        middle, behind = vary.one(22.5 * side, 1.0), vary.one(4.0, 1.5)
        radius = np.sqrt(
            ((y - behind) / vary.one(deep, 1.2)) ** 2 + ((x - middle) / vary.one(wide, 1.0)) ** 2
        )
        covered = np.maximum(covered, ramp((1.0 - radius) * 16.0, vary.one(3.2, 0.8)))
    return covered * ramp(z + 9.0, 3.0)


def _patellar(bones: LegBones, vary: Vary) -> np.ndarray:
    z, y, x = bones.points
    high, deep, side = bones.patella_mm
    radius = np.sqrt(((z - high - 2.0) / vary.one(17.5, 1.0)) ** 2 + ((x - side) / vary.one(21.0, 1.0)) ** 2)
    return ramp((1.0 - radius) * 18.0, vary.one(4.0, 1.0)) * ramp(y - deep + 1.0, 3.0)


def _worn(thickness: np.ndarray, bone: np.ndarray, bones: LegBones, draw: np.random.Generator) -> np.ndarray:
    """Varies the thickness, wears it in focal places, and in some knees bares a whole part."""
    shape = (thickness.shape[0], thickness.shape[1], thickness.shape[2])
    noise = smooth_field(draw, shape, bones.spacing_mm, 14.0)
    thickness = thickness * np.clip(1.0 + draw.uniform(0.0, 0.3) * noise, 0.3, 1.6)
    if draw.random() < DENUDED_SHARE:
        patch = smooth_field(draw, shape, bones.spacing_mm, 22.0)
        thickness = thickness * ramp(draw.uniform(0.6, 1.6) - patch, 0.5)
    z, y, x = bones.points
    places = np.argwhere((np.abs(bone) < 1.0) & (thickness > 1.0))
    for _ in range(int(draw.integers(0, 5)) if len(places) else 0):
        a, b, c = places[draw.integers(len(places))]
        away = (z - z[a, 0, 0]) ** 2 + (y - y[0, b, 0]) ** 2 + (x - x[0, 0, c]) ** 2
        size, depth = draw.uniform(2.0, 6.0), draw.uniform(0.3, 1.3)
        thickness = thickness * np.clip(1.0 - depth * np.exp(-away / (2 * size**2)), 0.0, 1.0)
    return np.where(thickness < THINNEST_MM, 0.0, thickness).astype(np.float32)


def ramp(value: np.ndarray, width: float) -> np.ndarray:
    """Rises smoothly from 0 at 0 to 1 at `width`."""
    t = np.clip(value / width, 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)
