"""Surfaces of labels, light enough to turn in a browser."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from kneecascade.core.geometry import Float3

MESH_MM = 1.4
"""Edge of the cells that the surface is sampled on: enough for the eye, not for measuring."""
SMOOTH_MM = 0.6


def surface(
    mask_zyx: np.ndarray, spacing_mm: Float3, values_zyx: np.ndarray | None = None
) -> dict[str, Any] | None:
    """Returns a triangle mesh of a mask, for looking at.

    Args:
        mask_zyx: on the canonical grid (Z, Y, X).
        spacing_mm: (z, y, x).
        values_zyx: numbers on this grid, 0 where there are none.

    Returns:
        vertices: base64 of float32 (n, 3), in mm along canonical x (to the left), y (backwards) and
            z (to the head); triangles: base64 of int32 (m, 3); with values also values: base64 of
            float32 (n,), those of the nearest voxel of the mask that has one. None for an empty mask.
    """
    if not mask_zyx.any():
        return None
    places = [np.flatnonzero(mask_zyx.any(axis=tuple(k for k in range(3) if k != axis))) for axis in range(3)]
    cut = tuple(slice(int(p[0]), int(p[-1]) + 1) for p in places)
    rim = [max(2, round(2 * MESH_MM / edge)) for edge in spacing_mm]
    soft = np.pad(mask_zyx[cut].astype(np.float32), [(n, n) for n in rim])
    soft = ndimage.gaussian_filter(soft, [SMOOTH_MM / edge for edge in spacing_mm])
    zoom = [min(1.0, edge / MESH_MM) for edge in spacing_mm]
    small = ndimage.zoom(soft, zoom, order=1, grid_mode=True, mode="nearest")
    cell = [edge * n / m for edge, n, m in zip(spacing_mm, soft.shape, small.shape, strict=True)]
    # Thin sheets fade when sampled so coarsely; a lower level keeps them whole to the eye.
    level = min(0.5, 0.5 * float(small.max()))
    vertices, triangles, _, _ = measure.marching_cubes(small, level, spacing=(cell[0], cell[1], cell[2]))
    # from the middle of the first cell to the corner of the image
    start = [
        (s.start - n) * edge + size / 2 for s, n, edge, size in zip(cut, rim, spacing_mm, cell, strict=True)
    ]
    points = vertices + start
    mesh = {"vertices": _packed(points[:, ::-1], np.float32), "triangles": _packed(triangles, np.int32)}
    if values_zyx is not None:
        mesh |= _nearest(points, mask_zyx & (values_zyx > 0), values_zyx, spacing_mm)
    return mesh


def _nearest(
    points: np.ndarray, there: np.ndarray, values_zyx: np.ndarray, spacing_mm: Float3
) -> dict[str, str]:
    """Returns the value of the voxel nearest to each point (N, 3), zyx in mm, where any is there."""
    voxels = np.argwhere(there)
    if not len(voxels):
        return {}
    _, nearest = cKDTree((voxels + 0.5) * spacing_mm).query(points)
    return {"values": _packed(values_zyx[tuple(voxels[nearest].T)], np.float32)}


def _packed(array: np.ndarray, kind: type) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode("ascii")
