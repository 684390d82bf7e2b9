"""Labels of any knee turned so that their array always runs the same way through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, from_canonical, to_canonical

Back = Callable[[np.ndarray], np.ndarray]


def medial_to_lateral(labels: LabelVolume, side: Side) -> tuple[np.ndarray, Geometry, Back]:
    """Turns labels to foot-head, front-back, and right-left, for a right knee left-right.

    Surfaces are then made of the same voxels in the same order whatever the file's axes and the side,
    so that a left knee measures exactly as its mirror image. Nothing is resampled; where the right knee
    is flipped the direction matrix becomes left-handed.

    Args:
        labels: on the file's grid.
        side: of the knee.

    Returns:
        The turned array, its geometry, and a function that turns an array on it back to the file's.
    """
    axes, flips = canonical_axes(labels.geometry)
    array, geometry = to_canonical(labels.array, axes, flips), canonical_geometry(labels.geometry)
    mirror = side == "right"
    if mirror:
        array, geometry = array[:, :, ::-1], _flipped(geometry)

    def back(turned: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(from_canonical(turned[:, :, ::-1] if mirror else turned, axes, flips))

    return np.ascontiguousarray(array), geometry, back


def _flipped(geometry: Geometry) -> Geometry:
    """Returns the same grid with its last array axis reversed; every voxel keeps its place."""
    matrix = np.array(geometry.direction_xyz).reshape(3, 3)
    step = matrix[:, 0] * (geometry.shape_zyx[2] - 1) * geometry.spacing_mm[2]
    x, y, z = (float(v) for v in np.array(geometry.origin_mm_xyz) + step)
    matrix[:, 0] *= -1
    return replace(geometry, origin_mm_xyz=(x, y, z), direction_xyz=tuple(matrix.ravel().tolist()))
