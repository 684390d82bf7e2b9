"""The surface of a mask as small elements, each with a place and an area in mm.

Definition of Nikolov et al. 2018 (arXiv:1809.04430): the corner where eight voxels meet bears a piece of
surface where the eight are not all alike. Its place is the corner, its area that of the marching cubes
triangles for the eight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from skimage.measure import marching_cubes, mesh_surface_area

from kneecascade.core.geometry import Box, Float3

CORNERS = 8
ALL = 2**CORNERS - 1


@dataclass(frozen=True, eq=False)
class Surface:
    """Surface elements of a mask inside a box.

    Attributes:
        areas_mm2: (Z+1, Y+1, X+1), the area of the element on each corner of the box's voxels; 0 where
            there is no surface. Corner (0, 0, 0) lies half a voxel before voxel (0, 0, 0).
        spacing_mm: (z, y, x) from corner to corner.
    """

    areas_mm2: np.ndarray
    spacing_mm: Float3

    @property
    def there(self) -> np.ndarray:
        """Bool (Z+1, Y+1, X+1): which corners bear an element."""
        return self.areas_mm2 > 0

    @property
    def area_mm2(self) -> float:
        """Area of all elements together."""
        return float(self.areas_mm2.sum(dtype=np.float64))


def surface_of(mask_zyx: np.ndarray, spacing_mm: Float3, box: Box | None = None) -> Surface:
    """Returns the surface elements of a mask.

    Beyond the image there is background: where a mask is cut by the image's edge, the cut is surface.

    Args:
        mask_zyx: bool (Z, Y, X).
        spacing_mm: voxel spacing (z, y, x). Obliqueness does not matter: a rotation keeps distances.
        box: holds the whole mask; None for the whole image.

    Returns:
        Elements on the corners of the box; an empty mask has none.
    """
    part = mask_zyx[box.slices] if box else mask_zyx
    codes = neighbour_codes(np.pad(part, 1))
    return Surface(np.asarray(_areas(spacing_mm), dtype=np.float32)[codes], spacing_mm)


def corners_of(mask_zyx: np.ndarray) -> np.ndarray:
    """Returns bool (Z+1, Y+1, X+1): the corners of the mask's voxels."""
    return neighbour_codes(np.pad(mask_zyx, 1)) > 0


def neighbour_codes(padded: np.ndarray) -> np.ndarray:
    """Returns uint8 codes (Z-1, Y-1, X-1) of the eight voxels about each inner corner; bit 4z + 2y + x."""
    codes: np.ndarray = padded.astype(np.uint8)
    # two voxels along x to two bits, two such pairs along y to four, two of these along z to eight
    codes = codes[:, :, :-1] | codes[:, :, 1:] << 1
    codes = codes[:, :-1] | codes[:, 1:] << 2
    return codes[:-1] | codes[1:] << 4


@lru_cache(maxsize=64)
def _areas(spacing_mm: Float3) -> tuple[float, ...]:
    """Returns the area of each of the 256 codes.

    A code and its complement are one surface seen from its two sides; where marching cubes joins ambiguous
    voxels differently for both, the smaller area is taken. So are the published tables.
    """
    one = [_triangle_area(code, spacing_mm) for code in range(ALL + 1)]
    return tuple(min(one[code], one[ALL - code]) for code in range(ALL + 1))


def _triangle_area(code: int, spacing_mm: Float3) -> float:
    if code in (0, ALL):
        return 0.0
    bits = [(code >> k) & 1 for k in range(CORNERS)]
    cube = np.array(bits, dtype=np.float32).reshape(2, 2, 2)
    vertices, faces, _, _ = marching_cubes(cube, 0.5, spacing=spacing_mm, method="lorensen")
    return float(mesh_surface_area(vertices, faces))
