"""A stand-in for a bone that has no label: what lies behind the cartilage, seen from the joint."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from kneecascade.biomarkers.field import Grid
from kneecascade.biomarkers.frame import Frame
from kneecascade.biomarkers.mesh import unit

DEPTH_MM = 4.0
"""How deep the stand-in reaches under the cartilage."""
STEP_MM = 0.3
METHOD = "inner surface from the cartilage: no bone label; the cartilage's shadow stands for bone"


def shadow(cartilage: np.ndarray, grid: Grid, bone: str, frame: Frame) -> np.ndarray:
    """Returns the voxels within `DEPTH_MM` behind a cartilage.

    A voxel is behind it when a straight line from it towards the joint meets the cartilage. Towards
    the joint is up for the tibia, back for the patella, and away from the condyles' axis for the femur:
    the axis of the circle fitted to the femoral cartilage in the sagittal plane.

    Args:
        cartilage: bool (Z, Y, X), with room of `DEPTH_MM` around it where the image allows.
        grid: where it lies.
        bone: "femur", "tibia" or "patella".
        frame: the knee's directions.

    Returns:
        bool (Z, Y, X); all False for an empty cartilage.
    """
    found = np.zeros_like(cartilage)
    if not cartilage.any():
        return found
    near = ndimage.distance_transform_edt(~cartilage, sampling=grid.spacing_mm) <= DEPTH_MM
    index = np.argwhere(near & ~cartilage)
    points = grid.to_mm(index.astype(float))
    step = _towards_joint(points, grid.to_mm(np.argwhere(cartilage)[::7].astype(float)), bone, frame)
    step_index = step @ np.linalg.inv(grid.matrix).T * STEP_MM
    hit = np.zeros(len(index), dtype=bool)
    top = np.array(cartilage.shape) - 1
    for k in range(1, int(DEPTH_MM * np.sqrt(2) / STEP_MM) + 1):
        alive = np.flatnonzero(~hit)
        z, y, x = np.clip(np.rint(index[alive] + k * step_index[alive]).astype(int), 0, top).T
        hit[alive[cartilage[z, y, x]]] = True
    found[tuple(index[hit].T)] = True
    return found


def fit_circle(flat: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns centre (2,) and radius of the circle nearest to points (N, 2), by linear least squares."""
    matrix = np.column_stack([2 * flat, np.ones(len(flat))])
    solution, *_ = np.linalg.lstsq(matrix, (flat**2).sum(axis=1), rcond=None)
    centre = solution[:2]
    return centre, float(np.sqrt(max(solution[2] + centre @ centre, 0)))


def _towards_joint(points: np.ndarray, cartilage_mm: np.ndarray, bone: str, frame: Frame) -> np.ndarray:
    if bone == "tibia":
        return np.broadcast_to(frame.up, points.shape)
    if bone == "patella":
        return np.broadcast_to(frame.back, points.shape)
    centre, _ = fit_circle(frame.coordinates(cartilage_mm)[:, 1:])
    away = unit(frame.coordinates(points)[:, 1:] - centre)
    return away @ np.stack([frame.back, frame.up])
