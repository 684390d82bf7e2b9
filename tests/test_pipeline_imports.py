"""A prediction loads nothing that it does not use: its start is felt with every image."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("scipy", "skimage.morphology", "blosc2", "pydicom", "matplotlib", "batchgenerators", "acvl_utils")


@pytest.mark.parametrize("module", ["predict"])
def test_prediction_starts_lightly(module: str) -> None:
    probe = f"import sys, kneecascade.pipeline.{module}; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
