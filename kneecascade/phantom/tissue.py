"""What surrounds bones and cartilage in a knee: an index of tissues on the grid of any label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kneecascade.core.geometry import Float3, Int3
from kneecascade.imaging.weights import apply_weights, linear_weights
from kneecascade.phantom.noise import smooth_field

AIR, FAT, MUSCLE, FLUID, SYNOVIUM, FIBROUS, VESSEL, SKIN, MARROW, LESION, CARTILAGE, CORTEX = range(12)
MENISCUS, TENDON, FATTY = 12, 13, 14
"""Told apart in legs to train on alone (`leg`); around other anatomies menisci and ligaments are FIBROUS."""
BONES, CARTILAGES, MENISCI, LESIONS = (1, 3, 5, 7, 8, 9), (2, 4, 6), 10, (7, 8, 9)
"""Values of a map that is to be rendered; menisci are 10 here, since 7 to 9 are bone lesions."""
COARSE_STEP = (4, 4, 2)
NEAR_STEP = (2, 2, 2)
WAVELENGTHS_MM = (18.0, 9.0, 5.0)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Distances and noise that tissues are placed by, all (Z, Y, X) float32."""

    joint_mm: np.ndarray
    femoral_mm: np.ndarray
    tibial_mm: np.ndarray
    wide: np.ndarray
    middle: np.ndarray
    fine: np.ndarray


def place_tissues(anatomy: np.ndarray, spacing_mm: Float3, draw: np.random.Generator) -> np.ndarray:
    """Fills the surroundings of an anatomy with tissue.

    Air outside the leg, skin, fat, muscle, vessels; near the joint synovium, fluid and fibrous
    tissue in random shapes, some with the grey of cartilage and right beside it; menisci between
    femoral and tibial cartilage where the anatomy has none of its own.

    Args:
        anatomy: (Z, Y, X) on the canonical grid: 1, 3, 5 bones, 2, 4, 6 cartilages, 7, 8, 9 bone
            lesions, 10 menisci, 0 elsewhere.
        spacing_mm: (z, y, x).
        draw: source of randomness.

    Returns:
        uint8 (Z, Y, X), the tissue constants of this file.
    """
    shape: Int3 = (anatomy.shape[0], anatomy.shape[1], anatomy.shape[2])
    around = _surroundings(anatomy, shape, spacing_mm, draw)
    tissue = _outer_leg(shape, around, draw)
    free = ~np.isin(anatomy, (*BONES, *CARTILAGES, MENISCI))
    if not (anatomy == MENISCI).any():
        wedge = free & (around.femoral_mm < 6) & (around.tibial_mm < 6)
        tissue[wedge] = FIBROUS
    _fill_joint(tissue, free, around, draw)
    tissue[anatomy == MENISCI] = FIBROUS
    bone = np.isin(anatomy, BONES)
    tissue[bone] = MARROW
    tissue[np.isin(anatomy, LESIONS)] = LESION
    tissue[bone & ~ndimage.binary_erosion(bone)] = CORTEX
    tissue[np.isin(anatomy, CARTILAGES)] = CARTILAGE
    return tissue


def _surroundings(
    anatomy: np.ndarray, shape: Int3, spacing_mm: Float3, draw: np.random.Generator
) -> Surroundings:
    solid = np.isin(anatomy, (*BONES, *CARTILAGES))
    wide, middle, fine = (smooth_field(draw, shape, spacing_mm, mm) for mm in WAVELENGTHS_MM)
    return Surroundings(
        joint_mm=_distance(solid, spacing_mm, COARSE_STEP),
        femoral_mm=_distance(anatomy == 2, spacing_mm, NEAR_STEP),
        tibial_mm=_distance(anatomy == 4, spacing_mm, NEAR_STEP),
        wide=wide,
        middle=middle,
        fine=fine,
    )


def _distance(mask: np.ndarray, spacing_mm: Float3, step: Int3) -> np.ndarray:
    """Distance to a mask in mm, computed on every few voxels, then interpolated."""
    few = mask[:: step[0], :: step[1], :: step[2]]
    if not few.any():
        return np.full(mask.shape, 1e3, dtype=np.float32)
    sampling = [mm * s for mm, s in zip(spacing_mm, step, strict=True)]
    distance = ndimage.distance_transform_edt(~few, sampling=sampling).astype(np.float32)
    weights = [linear_weights(n, many) for n, many in zip(few.shape, mask.shape, strict=True)]
    return apply_weights(distance, weights)


def _outer_leg(shape: Int3, around: Surroundings, draw: np.random.Generator) -> np.ndarray:
    """Returns air, skin, fat, muscle and vessels; the leg is deeper behind than in front."""
    high = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None, None]
    behind = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :, None]
    reach = draw.uniform(14, 20) + 22 * np.clip(behind + 0.2, 0, 1) + 8 * np.clip(high, 0, 1)
    reach = reach + 2 * around.wide
    fat_mm = draw.uniform(3, 8)
    tissue = np.full(shape, FAT, dtype=np.uint8)
    muscle = (around.joint_mm > draw.uniform(5, 8) + 2 * around.middle) & (around.joint_mm < reach - fat_mm)
    muscle &= (behind > 0.0) | (high > 0.25)
    muscle &= around.wide + 0.8 * around.middle + 0.6 * np.sign(behind) > -0.35
    tissue[muscle] = MUSCLE
    tissue[(0.7 * (around.fine + around.middle) > 2.0) & (around.joint_mm > 4)] = VESSEL
    tissue[around.joint_mm > reach - 1.6] = SKIN
    tissue[around.joint_mm > reach] = AIR
    return tissue


def _fill_joint(
    tissue: np.ndarray, free: np.ndarray, around: Surroundings, draw: np.random.Generator
) -> None:
    """Writes synovium, fibrous sheets and fluid near bones and cartilage."""
    near = free & (around.joint_mm < draw.uniform(2.5, 5))
    tissue[near & (around.middle > draw.uniform(0.2, 0.6))] = SYNOVIUM
    tissue[near & (np.abs(around.fine) < 0.12)] = FIBROUS
    between = free & (around.femoral_mm + around.tibial_mm < draw.uniform(3.5, 5)) & (around.middle > -0.2)
    tissue[between] = SYNOVIUM
    effusion = free & (around.joint_mm < draw.uniform(2.5, 6))
    tissue[effusion & (0.5 * around.wide + around.middle > draw.uniform(0.9, 1.5))] = FLUID
