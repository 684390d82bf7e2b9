"""Procedural bones of a knee: femur, tibia and patella as distance fields in mm.

The joint line lies at z = 0. Sizes are those of an adult knee, varied from knee to knee; they are
plausible, not fitted to anyone's data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Float3, Int3
from kneecascade.phantom.implicit import Points, cone, ellipsoid, to_distance, union, without
from kneecascade.phantom.noise import smooth_field

FIELD_MM = 1.0
"""Fields are smooth, so they are computed on this grid and interpolated to any other."""
ROUGHNESS_WAVELENGTH_MM = 16.0


@dataclass(frozen=True)
class Build:
    """What differs from knee to knee; lengths in mm.

    Attributes:
        scale: size of the bones.
        condyle_mm: distance of each condyle from the midline.
        gap_mm: bone to bone between femur and tibia; room for both cartilages.
        patella_height_mm: centre of the patella above the joint line.
        roughness_mm: standard deviation of the bones' surfaces about the smooth shape.
        femoral_mm: thickness of the femoral cartilage where it is full.
        tibial_mm: the same for the tibial cartilage.
        patellar_mm: the same for the patellar cartilage.
        lesions: number of focal cartilage lesions.
    """

    scale: float
    condyle_mm: float
    gap_mm: float
    patella_height_mm: float
    roughness_mm: float
    femoral_mm: float
    tibial_mm: float
    patellar_mm: float
    lesions: int


@dataclass(frozen=True, eq=False)
class Bones:
    """Distance fields on the field grid, negative inside, and what the cartilage is placed by.

    Attributes:
        points: positions (z, y, x) in mm of a right knee; z up, y backwards, x to the lateral side.
        femur: (Z, Y, X) float32.
        tibia: likewise.
        patella: likewise.
        notch: distance to the intercondylar notch.
        patella_centre_mm: (z, y, x).
    """

    points: Points
    femur: np.ndarray
    tibia: np.ndarray
    patella: np.ndarray
    notch: np.ndarray
    patella_centre_mm: Float3


def draw_build(draw: np.random.Generator) -> Build:
    """Draws a knee; thicknesses vary about published means (Eckstein et al. 2006 report 1.7 to 2.1 mm)."""
    femoral, tibial = draw.uniform(1.6, 2.8), draw.uniform(1.6, 3.0)
    return Build(
        scale=draw.uniform(0.88, 1.1),
        condyle_mm=draw.uniform(20.0, 24.0),
        gap_mm=femoral + tibial + draw.uniform(0.2, 1.2),
        patella_height_mm=draw.uniform(32.0, 42.0),
        roughness_mm=draw.uniform(0.3, 0.8),
        femoral_mm=femoral,
        tibial_mm=tibial,
        patellar_mm=draw.uniform(2.0, 3.4),
        lesions=int(draw.integers(0, 5)),
    )


def field_points(extent_mm: Float3, build: Build) -> Points:
    """Returns the positions of the field grid's voxels: (Z, 1, 1), (1, Y, 1), (1, 1, X)."""
    shape = field_shape(extent_mm)
    z, y, x = ((np.arange(n) + 0.5) * e / n - e / 2 for n, e in zip(shape, extent_mm, strict=True))
    # the canonical x axis runs to the left of the body, which is medial in a right knee
    points = ((z + 8)[:, None, None], (y - 8)[None, :, None], -x[None, None, :])
    return tuple(np.float32(p / build.scale) for p in points)  # type: ignore[return-value]


def field_shape(extent_mm: Float3) -> Int3:
    """Returns the voxels of the field grid for an image of these edge lengths."""
    z, y, x = (max(8, round(e / FIELD_MM)) for e in extent_mm)
    return (z, y, x)


def make_bones(build: Build, extent_mm: Float3, draw: np.random.Generator) -> Bones:
    """Builds the three bones of one knee on the field grid."""
    points = field_points(extent_mm, build)
    shape = field_shape(extent_mm)
    dz, dy, dx = (e / n for e, n in zip(extent_mm, shape, strict=True))
    spacing = (dz, dy, dx)
    rough = [
        build.roughness_mm * smooth_field(draw, shape, spacing, ROUGHNESS_WAVELENGTH_MM) for _ in range(3)
    ]

    def distance(field: np.ndarray, bumps: np.ndarray) -> np.ndarray:
        return to_distance(field * build.scale + bumps, spacing).astype(np.float32)

    condyles, notch = _condyles(points, build), _notch(points)
    femur = distance(_femur(points, condyles, notch), rough[0])
    tibia = distance(_tibia(points, condyles, build), rough[1])
    centre = (build.patella_height_mm, -47.0, 1.5)
    body = ellipsoid(points, centre, (20.0, 9.5, 20.0))
    clear = build.patellar_mm + build.femoral_mm + 0.8
    patella = distance(without(body, femur / build.scale - clear, 3.0), rough[2] * 0.5)
    patella = np.maximum(patella, clear - 0.3 - femur)
    return Bones(points, femur, tibia, patella, notch * build.scale, centre)


def mirrored(bones: Bones) -> Bones:
    """Returns the other side's bones: every field flipped along x."""
    z, y, x = bones.points
    return Bones(
        (z, y, x[:, :, ::-1]),
        bones.femur[:, :, ::-1],
        bones.tibia[:, :, ::-1],
        bones.patella[:, :, ::-1],
        bones.notch[:, :, ::-1],
        bones.patella_centre_mm,
    )


def _condyles(points: Points, build: Build) -> np.ndarray:
    lift = build.gap_mm / build.scale
    medial = ellipsoid(points, (23.0 + lift, 4.0, -build.condyle_mm), (23.0, 29.0, 14.5))
    lateral = ellipsoid(points, (22.5 + lift, 2.0, build.condyle_mm), (22.5, 27.0, 15.5))
    return union(medial, lateral, 2.0)


def _notch(points: Points) -> np.ndarray:
    return ellipsoid(points, (9.0, 18.0, 0.0), (20.0, 19.0, 8.0))


def _femur(points: Points, condyles: np.ndarray, notch: np.ndarray) -> np.ndarray:
    middle = ellipsoid(points, (36.0, -5.0, 0.0), (23.0, 24.0, 27.0))
    shaft = cone(points, (42.0, -5.0, 0.0), (130.0, -9.0, 0.0), 20.0, 13.0)
    groove = cone(points, (70.0, -37.0, 1.5), (8.0, -35.0, 0.0), 8.0, 7.0)
    femur = union(union(condyles, middle, 8.0), shaft, 12.0)
    return without(without(femur, groove, 5.0), notch, 3.0)


def _tibia(points: Points, condyles: np.ndarray, build: Build) -> np.ndarray:
    head = ellipsoid(points, (-16.0, 2.0, 0.0), (26.0, 27.0, 40.0))
    head = without(head, np.float32(0.6) - points[0] + 0 * head, 3.0)
    shaft = cone(points, (-22.0, 4.0, 0.0), (-130.0, 9.0, 0.0), 21.0, 12.0)
    spine = ellipsoid(points, (1.5, 4.0, 0.0), (7.0, 8.0, 4.5))
    tibia = union(union(head, shaft, 10.0), spine, 4.0)
    return np.maximum(tibia, build.gap_mm / build.scale - condyles)
