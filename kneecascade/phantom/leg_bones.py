"""Bones of a leg to train on: femur, tibia, patella, fibula, from the thigh to the calf, all drawn anew.

Unlike `bones`, whose knees have exact answers, these vary in every part and reach to any field's edge.
Positions are those of a right knee in mm: z up from the joint line, y backwards, x to the lateral side.
Sizes are textbook ones of adults, varied; they are fitted to nobody's data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Float3
from kneecascade.phantom.implicit import Points, cone, ellipsoid, to_distance, union, without
from kneecascade.phantom.noise import smooth_field

FAR_MM = 220.0
"""Shafts end this far from the joint line, outside every field of view."""
OSTEOPHYTE_SHARE = 0.35
DEEPEST_MM = 30.0


@dataclass(frozen=True, eq=False)
class LegBones:
    """Distance fields (Z, Y, X) float32, negative inside, and what else is placed by.

    Attributes:
        points: positions (z, y, x) in mm of the field grid.
        spacing_mm: (z, y, x) of the field grid.
        femur: distance to the femur.
        tibia: to the tibia.
        patella: to the patella.
        fibula: to the fibula.
        notch: to the intercondylar notch.
        patella_mm: centre of the patella (z, y, x).
        gap_mm: least distance between femur and tibia.
    """

    points: Points
    spacing_mm: Float3
    femur: np.ndarray
    tibia: np.ndarray
    patella: np.ndarray
    fibula: np.ndarray
    notch: np.ndarray
    patella_mm: Float3
    gap_mm: float


class Vary:
    """Draws numbers about a usual value, never further off than twice the spread."""

    def __init__(self, draw: np.random.Generator) -> None:
        self.draw = draw

    def one(self, value: float, spread: float) -> float:
        """Returns one number."""
        return float(value + spread * np.clip(self.draw.standard_normal(), -2, 2))

    def __call__(self, values: Float3, spread: float) -> Float3:
        """Returns three numbers, each varied on its own."""
        z, y, x = (self.one(value, spread) for value in values)
        return (z, y, x)


def make_leg_bones(
    points: Points, spacing_mm: Float3, cartilage_mm: Float3, draw: np.random.Generator
) -> LegBones:
    """Builds the bones.

    Args:
        points: positions (z, y, x) in mm that broadcast to the field grid.
        spacing_mm: of the grid.
        cartilage_mm: full thickness of the femoral, tibial and patellar cartilage, for which room is left.
        draw: source of randomness.
    """
    vary = Vary(draw)
    femoral, tibial, patellar = cartilage_mm
    gap = 0.9 * (femoral + tibial) + draw.uniform(0.0, 1.2)
    shape = np.broadcast_shapes(*(p.shape for p in points))
    rough_mm = draw.uniform(0.1, 0.6)

    def finished(field: np.ndarray) -> np.ndarray:
        bumps = rough_mm * smooth_field(draw, shape, spacing_mm, 14.0)  # type: ignore[arg-type]
        field = _with_osteophytes(field, points, draw) + bumps
        return _clipped(to_distance(field, spacing_mm))

    condyles = _condyles(points, gap, vary)
    notch = ellipsoid(points, vary((9.0 + gap, 21.0, 0.0), 1.0), vary((21.0, 19.0, 9.5), 1.2))
    femur = finished(_femur(points, condyles, notch, gap, vary))
    tibia = finished(_tibia(points, femur, gap, vary))
    tibia = np.maximum(tibia, 0.8 * gap - femur)
    centre = (vary.one(38.0, 4.5), vary.one(-44.0, 2.0), vary.one(2.0, 2.0))
    clear = 0.9 * (patellar + femoral) + draw.uniform(0.0, 1.5)
    patella = _patella(points, centre, femur, clear, vary)
    patella = _clipped(np.maximum(to_distance(patella, spacing_mm), 0.8 * clear - femur))
    fibula = _clipped(np.maximum(to_distance(_fibula(points, vary), spacing_mm), 1.5 - tibia))
    return LegBones(points, spacing_mm, femur, tibia, patella, fibula, notch, centre, gap)


def _clipped(field: np.ndarray) -> np.ndarray:
    """Cuts off the spike in the middle of an ellipsoid, which would ring when the field is interpolated."""
    return np.clip(field, -DEEPEST_MM, DEEPEST_MM * 2).astype(np.float32)


def _condyles(points: Points, gap: float, vary: Vary) -> np.ndarray:
    both = []
    for side, front, behind in ((-1, -5.0, 13.0), (1, -7.0, 11.0)):
        z, y, x = vary((26.0 + gap, front, 22.0 * side), 1.2)
        low = ellipsoid(points, (z, y, x), (z - gap, vary.one(27.0, 1.2), vary.one(14.0, 1.0)))
        back = ellipsoid(points, vary((21.0 + gap, behind, 23.0 * side), 1.0), vary((20.0, 20.0, 12.5), 0.8))
        both.append(union(low, back, 6.0))
    return union(both[0], both[1], 2.0)


def _femur(points: Points, condyles: np.ndarray, notch: np.ndarray, gap: float, vary: Vary) -> np.ndarray:
    bone = union(
        condyles, ellipsoid(points, vary((40.0, -6.0, 0.0), 1.5), vary((23.0, 22.0, 28.0), 1.5)), 8.0
    )
    # the trochlea's ridges: the lateral one is higher
    for side, front in ((-1, -15.0), (1, -17.5)):
        ridge = ellipsoid(points, vary((36.0, front, 13.0 * side), 1.2), vary((21.0, 16.0, 12.5), 1.0))
        bone = union(bone, ridge, 5.0)
        epicondyle = ellipsoid(
            points, vary((34.0 + gap, 6.0, 33.0 * side), 2.0), vary((14.0, 14.0, 8.0), 1.0)
        )
        bone = union(bone, epicondyle, 6.0)
    lean, bow = vary.one(0.11, 0.04), vary.one(0.02, 0.04)
    knee, high = (42.0, -5.0, 0.0), vary.one(85.0, 5.0)
    waist = (high, -8.0 + bow * 40, lean * 40)
    wide, slim = vary.one(25.0, 1.5), vary.one(15.0, 1.3)
    bone = union(bone, cone(points, knee, waist, wide, slim), 12.0)
    end = (FAR_MM, -8.0 + bow * (FAR_MM - 45), lean * (FAR_MM - 45))
    bone = union(bone, cone(points, waist, end, slim, vary.one(14.0, 0.8)), 8.0)
    groove = cone(points, vary((74.0, -44.0, 2.0), 1.5), vary((6.0, -38.0, 0.0), 1.5), 9.0, 8.0)
    return without(without(bone, groove, 6.0), notch, 3.0)


def _tibia(points: Points, femur: np.ndarray, gap: float, vary: Vary) -> np.ndarray:
    medial = ellipsoid(points, vary((-15.0, 4.0, -18.0), 1.2), vary((25.0, 26.0, 21.0), 1.0))
    lateral = ellipsoid(points, vary((-15.0, 3.0, 19.0), 1.2), vary((25.0, 24.0, 20.5), 1.0))
    head = union(medial, lateral, 10.0)
    slope = vary.one(0.11, 0.04)
    head = without(head, 0.8 - slope * (points[1] - 4.0) - points[0] + 0 * head, 3.0)
    head = without(head, ellipsoid(points, vary((0.0, 30.0, 0.0), 1.5), (16.0, 9.0, 7.0)), 4.0)
    lean = vary.one(-0.02, 0.03)
    low = vary.one(-76.0, 5.0)
    waist, end = (low, 4.0, 0.0), (-FAR_MM, 8.0, lean * FAR_MM)
    slim = vary.one(15.0, 1.2)
    bone = union(head, cone(points, (-18.0, 2.0, 0.0), waist, vary.one(26.5, 1.5), slim), 10.0)
    bone = union(bone, cone(points, waist, end, slim, vary.one(12.0, 0.8)), 6.0)
    tubercle, crest = vary((-33.0, -20.0, 3.0), 1.5), (-FAR_MM, 0.0, lean * FAR_MM)
    bone = union(bone, cone(points, tubercle, crest, vary.one(9.0, 0.8), 4.5), 7.0)
    for side in (-1, 1):
        spine = ellipsoid(points, vary((0.5, 2.0, 5.0 * side), 1.0), vary((7.5, 7.0, 3.8), 0.7))
        bone = union(bone, spine, 4.0)
    return np.maximum(bone, gap - femur)


def _patella(points: Points, centre: Float3, femur: np.ndarray, clear: float, vary: Vary) -> np.ndarray:
    z, y, x = centre
    body = ellipsoid(points, centre, vary((19.5, 11.0, 21.5), 1.2))
    pole = ellipsoid(points, (z - 13.0, y - 2.0, x), vary((11.0, 7.0, 11.0), 1.0))
    return without(union(body, pole, 5.0), femur - clear, 4.0)


def _fibula(points: Points, vary: Vary) -> np.ndarray:
    head = vary((-20.0, 19.0, 35.0), 2.5)
    neck = (head[0] - 25.0, head[1] - 1.0, head[2] - 1.0)
    size, slim = vary.one(11.0, 1.0), vary.one(6.5, 0.8)
    upper = cone(points, head, neck, size, slim)
    end = (-FAR_MM, vary.one(18.0, 4.0), vary.one(30.0, 4.0))
    return union(upper, cone(points, neck, end, slim, vary.one(7.5, 0.8)), 5.0)


def _with_osteophytes(field: np.ndarray, points: Points, draw: np.random.Generator) -> np.ndarray:
    """Adds small bumps to a bone's surface near the joint, in some knees."""
    if draw.random() >= OSTEOPHYTE_SHARE:
        return field
    z, y, x = points
    near = (np.abs(field) < 1.5) & (np.abs(z - 5) < 30) & ((np.abs(x) > 24) | (np.abs(y) > 22))
    places = np.argwhere(near)
    for _ in range(int(draw.integers(1, 5)) if len(places) else 0):
        a, b, c = places[draw.integers(len(places))]
        centre = (float(z[a, 0, 0]), float(y[0, b, 0]), float(x[0, 0, c]))
        radii = draw.uniform(2.5, 6.0, 3)
        bump = ellipsoid(points, centre, (float(radii[0]), float(radii[1]), float(radii[2])))
        field = union(field, np.maximum(bump, -float(radii.min())), 3.0)
    return field
