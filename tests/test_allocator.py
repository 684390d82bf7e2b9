"""kneecascade.allocator."""

from __future__ import annotations

import subprocess
import sys

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
