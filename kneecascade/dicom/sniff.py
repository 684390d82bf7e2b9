"""Telling DICOM files from others by their first bytes, without pydicom, which takes a while to load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PREAMBLE = 128
FIRST_GROUPS = (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")
"""Files without a preamble start with an element of group 8 or 2, in either byte order."""


def is_dicom(path: Path) -> bool:
    """Tells from its first bytes whether a file is DICOM; False where it cannot be opened."""
    start = _start(path)
    return has_preamble(path) or (start[:2] in FIRST_GROUPS and len(start) > PREAMBLE)


def has_preamble(path: Path) -> bool:
    """Tells whether a file says that it is DICOM; False where it cannot be opened."""
    return _start(path)[PREAMBLE:] == b"DICM"


def holds_dicom(folder: Path) -> bool:
    """Tells whether any file of a folder tree is DICOM."""
    return any(is_dicom(path) for path in files_in(folder))


def files_in(root: Path) -> Iterator[Path]:
    """Yields every file of a folder tree but hidden ones, or the one file."""
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(PREAMBLE + 4)
    except OSError:
        return b""
