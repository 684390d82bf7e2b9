"""Finds what SimpleITK reads over in NIfTI files: a missing end, values that are not finite.

It fills the missing end of a truncated file with zeros, and turns NaN into zero, without a word.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

NIFTI1_BYTES = 348
FLOATS = {16: "f4", 64: "f8"}  # the datatype codes of float32 and float64


def nifti_fault(path: Path) -> str:
    """Says what is wrong with the content of a .nii or .nii.gz file.

    Returns:
        "" for a sound file, for other formats (SimpleITK refuses those itself) and for files
        without a NIfTI-1 header.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return ""
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            content = stream.read()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return "is truncated; copy it again"
    return _fault(content)


def _fault(content: bytes) -> str:
    order = _byte_order(content)
    if order is None:
        return ""
    dim = struct.unpack_from(f"{order}8h", content, 40)
    datatype, bits = struct.unpack_from(f"{order}2h", content, 70)
    offset = int(struct.unpack_from(f"{order}f", content, 108)[0])
    voxels = prod(max(1, n) for n in dim[1 : dim[0] + 1])
    if len(content) < offset + voxels * bits // 8:
        return "is truncated; copy it again"
    if datatype in FLOATS:
        values = np.frombuffer(content, f"{order}{FLOATS[datatype]}", voxels, offset)
        if not np.isfinite(values).all():
            return "holds values that are not finite"
    return ""


def _byte_order(content: bytes) -> str | None:
    if len(content) >= NIFTI1_BYTES:
        for order in "<>":
            if struct.unpack_from(f"{order}i", content)[0] == NIFTI1_BYTES:
                return order
    return None
