"""Grids of phantoms: a body turned a little in the scanner, the same body on another grid."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3, Geometry, Int3

CLEAR_MM = 10.0
"""A knee this far from the middle of the scanner is taken for that side's."""
SCANNER_XYZ = np.diag([-1.0, -1.0, 1.0])
"""Files run to the right, to the front and to the head, as knee archives have them."""


def oblique_geometry(
    shape_zyx: Int3, spacing_mm: Float3, degrees: float, draw: np.random.Generator
) -> Geometry:
    """Returns a grid whose axes are turned by up to `degrees` about the body's long axis."""
    angle = np.radians(draw.uniform(-degrees, degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    direction = tuple(float(v) for v in (turn @ SCANNER_XYZ).ravel())
    x, y, z = draw.uniform(-60, 60, 3)
    return Geometry(shape_zyx, spacing_mm, (float(x), float(y), float(z)), direction)


def regridded(geometry: Geometry, shape_zyx: Int3) -> Geometry:
    """Returns the grid of `shape_zyx` voxels over the same extent."""
    sizes = zip(geometry.spacing_mm, geometry.shape_zyx, shape_zyx, strict=True)
    z, y, x = (mm * n / many for mm, n, many in sizes)
    old, new = np.array(geometry.spacing_mm[::-1]), np.array([x, y, z])
    turn = np.array(geometry.direction_xyz).reshape(3, 3)
    origin = np.array(geometry.origin_mm_xyz) + turn @ ((new - old) / 2)
    first, second, third = (float(v) for v in origin)
    return Geometry(shape_zyx, (z, y, x), (first, second, third), geometry.direction_xyz)


def mirrored_geometry(geometry: Geometry) -> Geometry:
    """Returns the grid of the mirror image in the sagittal plane x = 0, for an array flipped along X.

    Flipping the array's last axis as well keeps the direction matrix right-handed.
    """
    mirror, flip = np.diag([-1.0, 1.0, 1.0]), np.diag([-1.0, 1.0, 1.0])
    turn = np.array(geometry.direction_xyz).reshape(3, 3)
    last = np.array([(geometry.shape_zyx[2] - 1) * geometry.spacing_mm[2], 0.0, 0.0])
    x, y, z = (float(v) for v in mirror @ (np.array(geometry.origin_mm_xyz) + turn @ last))
    direction = tuple(float(v) for v in (mirror @ turn @ flip).ravel())
    return Geometry(geometry.shape_zyx, geometry.spacing_mm, (x, y, z), direction)


def side_of(geometry: Geometry) -> str:
    """Tells the side by where the grid's centre lies: "right", "left", or "unknown" near the middle."""
    turn = np.array(geometry.direction_xyz).reshape(3, 3)
    reach = (np.array(geometry.shape_zyx[::-1]) - 1) / 2 * np.array(geometry.spacing_mm[::-1])
    x = float((np.array(geometry.origin_mm_xyz) + turn @ reach)[0])
    if abs(x) < CLEAR_MM:
        return "unknown"
    return "left" if x > 0 else "right"
