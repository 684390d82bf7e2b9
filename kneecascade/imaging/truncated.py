"""Finding NIfTI files that end too early: SimpleITK reads them without a word and fills up with zeros."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from kneecascade.imaging.nifti_header import HEADER_SIZES, voxel_layout

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 22


def is_truncated(path: Path) -> bool:
    """Says whether a NIfTI file holds fewer voxels than its header promises.

    Quick where the file is whole: a compressed file's last four bytes tell its length, and only where
    they do not fit is it decompressed to the end.

    Args:
        path: any file; what is not a single-file NIfTI is left to SimpleITK, which notices by itself.
    """
    packed = is_packed(path)
    try:
        with opened(path, packed) as stream:
            header = stream.read(HEADER_SIZES[1])
            layout = voxel_layout(header)
            if layout is None:
                return False
            if not packed:
                return path.stat().st_size < layout.end
            if _length_in_trailer(path) == layout.end % 2**32:
                return False
            return len(header) + _count(stream) < layout.end
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return True


def is_packed(path: Path) -> bool:
    """Says whether a file is compressed by gzip, whatever its name."""
    with path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def opened(path: Path, packed: bool) -> BinaryIO:
    """Opens a file to read it unpacked."""
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _length_in_trailer(path: Path) -> int:
    """Returns the unpacked length modulo 2^32 that a gzip file ends with."""
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


def _count(stream: BinaryIO) -> int:
    return sum(len(block) for block in iter(lambda: stream.read(BLOCK), b""))
