"""Memory settings of the C library: freed memory stays in the process."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import lru_cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Names of mallopt's settings in glibc's malloc.h."""


def tune_allocator() -> bool:
    """Keeps freed memory in the process instead of giving it back after every layer.

    Large arrays otherwise come from fresh pages each time, and the page faults cost more than
    the arithmetic of thin layers. Works on Linux with glibc; a no-op elsewhere.

    Returns:
        Whether it was done.
    """
    libc = _glibc()
    if libc is None:
        return False
    settings = (
        (M_MMAP_MAX, 0),  # large blocks from the heap, not from fresh pages
        (M_TRIM_THRESHOLD, 1 << 30),  # at most 1 GiB is kept at the heap's end
        (M_TOP_PAD, 64 << 20),
        (M_ARENA_MAX, 1),  # the same for other threads
    )
    return all(libc.mallopt(name, value) == 1 for name, value in settings)


def give_back() -> None:
    """Gives free memory back to the system, wherever it lies; a no-op where `tune_allocator` is one.

    Free memory that is cut in pieces serves no large array: without this, it adds to the peak. To be called
    seldom, since what is given back has to be asked for again.
    """
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@lru_cache(maxsize=1)
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return None
    return ctypes.CDLL("libc.so.6")
