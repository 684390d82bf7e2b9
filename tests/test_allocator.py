"""kneecascade.allocator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_a_tuned_allocator_still_allocates_in_every_thread() -> None:
    code = """
import platform, threading, torch
from kneecascade.allocator import tune_allocator
done = tune_allocator()
totals = []
make = lambda: totals.append(float(torch.ones(50_000_000).sum()))
thread = threading.Thread(target=make); thread.start(); thread.join(); make()
assert totals == [5e7, 5e7], totals
assert done == (platform.libc_ver()[0] == "glibc")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells the memory this way")
def test_free_memory_between_arrays_is_given_back() -> None:
    code = """
import platform, numpy
from pathlib import Path
from kneecascade.allocator import give_back, tune_allocator
if not tune_allocator(): raise SystemExit
held = lambda: int(Path('/proc/self/statm').read_text().split()[1]) * 4096
arrays = [numpy.ones(2_000_000) for _ in range(20)]
del arrays[1:-1]
before = held()
give_back()
assert before - held() > 100e6, (before, held())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
