"""Memory settings of the C library: freed memory stays in the process."""

from __future__ import annotations

import ctypes
import platform
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Names of mallopt's settings in glibc's malloc.h."""


def tune_allocator() -> bool:
    """Keeps freed memory in the process instead of giving it back after every layer.

    Large arrays otherwise come from fresh pages each time, and the page faults cost more than
    the arithmetic of thin layers. Works on Linux with glibc; a no-op elsewhere.

    Returns:
        Whether it was done.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL("libc.so.6")
    settings = (
        (M_MMAP_MAX, 0),  # large blocks from the heap, not from fresh pages
        (M_TRIM_THRESHOLD, 1 << 30),  # at most 1 GiB is kept at the heap's end
        (M_TOP_PAD, 64 << 20),
        (M_ARENA_MAX, 1),  # the same for other threads
    )
    return all(libc.mallopt(name, value) == 1 for name, value in settings)
