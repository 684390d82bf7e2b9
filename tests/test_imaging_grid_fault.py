"""kneecascade.imaging.grid_fault: grids that cannot be true."""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bad_headers import GREY, nifti

from kneecascade.core.geometry import Geometry
from kneecascade.imaging.grid_fault import grid_fault, header_fault

GRID = Geometry((160, 384, 384), (0.7, 0.365, 0.365))


@pytest.mark.parametrize(
    ("spacing_mm", "says"),
    [
        ((0.7, 0.365, 0.365), ""),
        ((1e-3, 1e-3, 1e-3), "0.384 mm long with voxels of 0.001 x 0.001 x 0.001 mm"),
        ((0.7, 0.365, 30.0), "1.15e+04 mm long"),
        ((0.0, 1.0, 1.0), "no size"),
        ((math.nan, 1.0, 1.0), "not finite"),
    ],
)
def test_spacing(spacing_mm: tuple[float, float, float], says: str) -> None:
    fault = grid_fault(replace(GRID, spacing_mm=spacing_mm))
    assert says in fault
    assert bool(fault) == bool(says)


def test_an_origin_that_is_no_number() -> None:
    assert "not finite" in grid_fault(replace(GRID, origin_mm_xyz=(0.0, math.inf, 0.0)))


@pytest.mark.parametrize("step", [0.0, math.nan, math.inf])
def test_a_header_without_a_voxel_size(tmp_path: Path, step: float) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(nifti(GREY, (1, step, 1)))
    assert "no size" in header_fault(path)
    plain = tmp_path / "a.nii"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert "no size" in header_fault(plain)


def test_sound_headers_and_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    for data in (nifti(GREY), nifti(GREY)[:200], b"", b"\x1f\x8b", np.zeros(200).tobytes()):
        path.write_bytes(data)
        assert header_fault(path) == ""
