"""Finding NIfTI files that end too early: SimpleITK reads them without a word and fills up with zeros."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

GZIP_MAGIC = b"\x1f\x8b"
HEADER_SIZES = (348, 540)
BLOCK = 1 << 22


def is_truncated(path: Path) -> bool:
    """Says whether a NIfTI file holds fewer voxels than its header promises.

    Quick where the file is whole: a compressed file's last four bytes tell its length, and only where
    they do not fit is it decompressed to the end.

    Args:
        path: any file; what is not a single-file NIfTI is left to SimpleITK, which notices by itself.
    """
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
    try:
        with _opened(path, packed) as stream:
            header = stream.read(HEADER_SIZES[1])
            expected = _promised_bytes(header)
            if expected is None:
                return False
            if not packed:
                return path.stat().st_size < expected
            if _length_in_trailer(path) == expected % 2**32:
                return False
            return len(header) + _count(stream) < expected
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return True


def _opened(path: Path, packed: bool) -> BinaryIO:
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _promised_bytes(header: bytes) -> int | None:
    """Returns where the voxels end by a NIfTI-1 or NIfTI-2 header; None for anything else."""
    for order in "<>":
        if len(header) < HEADER_SIZES[0]:
            return None
        size = struct.unpack_from(order + "i", header)[0]
        if size == 348 and header[344:347] == b"n+1":
            dimensions = struct.unpack_from(order + "8h", header, 40)
            (bits,) = struct.unpack_from(order + "h", header, 72)
            (offset,) = struct.unpack_from(order + "f", header, 108)
        elif size == 540 and header[4:7] == b"n+2" and len(header) >= 540:
            dimensions = struct.unpack_from(order + "8q", header, 16)
            (bits,) = struct.unpack_from(order + "h", header, 14)
            (offset,) = struct.unpack_from(order + "q", header, 168)
        else:
            continue
        return int(offset) + math.prod(dimensions[1 : 1 + dimensions[0]]) * bits // 8
    return None


def _length_in_trailer(path: Path) -> int:
    """Returns the unpacked length modulo 2^32 that a gzip file ends with."""
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


def _count(stream: BinaryIO) -> int:
    return sum(len(block) for block in iter(lambda: stream.read(BLOCK), b""))
