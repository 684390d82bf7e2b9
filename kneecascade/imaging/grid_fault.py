"""What cannot be true of a grid: steps of nothing, places that are no numbers, knees of metres."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

from kneecascade.core.geometry import Geometry
from kneecascade.imaging.nifti_header import HEADER_SIZES
from kneecascade.imaging.truncated import is_packed, opened

SHORTEST_MM, LONGEST_MM = 1.0, 5000.0
"""An image is longer than the first along some axis and shorter than the second along all."""


def grid_fault(geometry: Geometry) -> str:
    """Says what is wrong with a grid; "" for a believable one."""
    numbers = (*geometry.spacing_mm, *geometry.origin_mm_xyz, *geometry.direction_xyz)
    if not all(map(math.isfinite, numbers)):
        return "its place in space is not finite; mend the header"
    if min(geometry.spacing_mm) <= 0:
        return "its voxels have no size; mend the spacing in the header"
    longest = max(geometry.extent_mm)
    if not SHORTEST_MM <= longest <= LONGEST_MM:
        spacing = " x ".join(f"{step:.3g}" for step in geometry.spacing_mm[::-1])
        return f"would be {longest:.3g} mm long with voxels of {spacing} mm; mend the spacing in the header"
    return ""


def header_fault(path: Path) -> str:
    """Says whether a NIfTI-1 header lacks a voxel size, for which SimpleITK takes 1 mm; "" if not."""
    try:
        with opened(path, is_packed(path)) as stream:
            header = stream.read(HEADER_SIZES[0])
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return ""  # truncated, which is told elsewhere
    if len(header) < HEADER_SIZES[0]:
        return ""
    for order in "<>":
        if struct.unpack_from(order + "i", header)[0] == HEADER_SIZES[0]:
            sizes = struct.unpack_from(order + "3f", header, 80)
            if not all(math.isfinite(size) and size != 0 for size in sizes):
                return "its voxels have no size; mend the spacing in the header"
    return ""
