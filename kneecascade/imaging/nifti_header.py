"""The few fields of a NIfTI header that tell where the voxels lie and how they are stored."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

HEADER_SIZES = (348, 540)


@dataclass(frozen=True)
class VoxelLayout:
    """Where the voxels of a single-file NIfTI lie, unpacked.

    Attributes:
        order: "<" for little endian, ">" for big.
        datatype: NIfTI's code, such as 16 for float32.
        bits: of a voxel.
        offset: bytes before the first voxel.
        voxels: how many there should be.
    """

    order: str
    datatype: int
    bits: int
    offset: int
    voxels: int

    @property
    def end(self) -> int:
        """Bytes up to the last voxel's end."""
        return self.offset + self.voxels * self.bits // 8


def voxel_layout(header: bytes) -> VoxelLayout | None:
    """Reads a NIfTI-1 or NIfTI-2 header, either byte order; None for anything else and for header pairs.

    Args:
        header: the first 540 bytes of the unpacked file, or fewer where it is shorter.
    """
    if len(header) < HEADER_SIZES[0]:
        return None
    for order in "<>":
        (size,) = struct.unpack_from(order + "i", header)
        if size == 348 and header[344:347] == b"n+1":
            dimensions = struct.unpack_from(order + "8h", header, 40)
            datatype, bits = struct.unpack_from(order + "2h", header, 70)
            (offset,) = struct.unpack_from(order + "f", header, 108)
        elif size == 540 and header[4:7] == b"n+2" and len(header) >= 540:
            dimensions = struct.unpack_from(order + "8q", header, 16)
            datatype, bits = struct.unpack_from(order + "2h", header, 12)
            (offset,) = struct.unpack_from(order + "q", header, 168)
        else:
            continue
        if not 0 <= offset < math.inf or not 1 <= dimensions[0] <= 7:
            return None  # a broken header, which SimpleITK refuses
        voxels = math.prod(max(1, n) for n in dimensions[1 : 1 + dimensions[0]])
        return VoxelLayout(order, datatype, bits, int(offset), voxels)
    return None
