"""Distances inside and outside a mask."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from kneecascade.core.geometry import Float3


def distances_mm(inside_zyx: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    """Returns how far each voxel inside a mask lies from the nearest one outside; 0 or less outside.

    Outside, the negative distance to the nearest voxel outside that has a neighbour inside. Distances are
    those between centres of voxels.

    Args:
        inside_zyx: bool (Z, Y, X), neither all true nor all false.
        spacing_mm: (z, y, x).
    """
    return _from_rim_mm(~inside_zyx, spacing_mm)


def signed_distances_mm(mask_zyx: np.ndarray, spacing_mm: Float3, limit_mm: float) -> np.ndarray:
    """Returns distances to the surface of a mask, negative inside, 0 in its outermost voxels.

    Args:
        mask_zyx: bool (Z, Y, X).
        spacing_mm: (z, y, x).
        limit_mm: no distance is larger; all are, with their sign, where the mask is empty or everything.
    """
    if not mask_zyx.any() or mask_zyx.all():
        return np.full(mask_zyx.shape, -limit_mm if mask_zyx.any() else limit_mm, dtype=np.float32)
    return np.clip(_from_rim_mm(mask_zyx, spacing_mm), -limit_mm, limit_mm)


def _from_rim_mm(mask_zyx: np.ndarray, spacing_mm: Float3) -> np.ndarray:
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask_zyx).view(np.uint8))
    z, y, x = spacing_mm
    image.SetSpacing((x, y, z))
    # exact as scipy's transform is, in half its time
    distance = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    return sitk.GetArrayFromImage(distance)
