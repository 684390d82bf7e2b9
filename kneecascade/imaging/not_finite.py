"""Finding NaN and infinity in NIfTI files: SimpleITK turns both into 0 without a word."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from kneecascade.imaging.nifti_header import HEADER_SIZES, VoxelLayout, voxel_layout
from kneecascade.imaging.truncated import BLOCK, is_packed, opened

FLOATS = {16: "f4", 64: "f8"}
"""NIfTI's codes of float32 and float64."""


def count_not_finite(path: Path) -> int:
    """Counts the stored values that are NaN or infinite; 0 for files of integers and of other formats.

    A file of integers is not read beyond its header.

    Args:
        path: an image that is not truncated.
    """
    try:
        packed = is_packed(path)
        with opened(path, packed) as stream:
            layout = voxel_layout(stream.read(HEADER_SIZES[1]))
            if layout is None or layout.datatype not in FLOATS:
                return 0
            stream.seek(layout.offset)
            return _count(stream, layout)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return 0  # truncated, which is told elsewhere


def _count(stream: object, layout: VoxelLayout) -> int:
    kind = np.dtype(layout.order + FLOATS[layout.datatype])
    left, odd = layout.voxels * kind.itemsize, 0
    while left > 0:
        block = stream.read(min(BLOCK, left))  # type: ignore[attr-defined]
        values = np.frombuffer(block, kind, len(block) // kind.itemsize)
        odd += values.size - int(np.count_nonzero(np.isfinite(values)))
        left -= len(block)
        if not block:
            break
    return odd
