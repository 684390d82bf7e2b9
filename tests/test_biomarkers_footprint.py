from __future__ import annotations

import numpy as np
import pytest

from kneecascade.biomarkers.footprint import closed_footprint, with_gaps_filled
from kneecascade.biomarkers.mesh import Mesh, vertex_areas


def sheet(size_mm: int = 60) -> Mesh:
    """A flat square of 1 mm steps."""
    n = size_mm + 1
    y, x = (axis.ravel() for axis in np.mgrid[0:n, 0:n])
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate(
        [np.stack([first, first + 1, first + n], 1), np.stack([first + 1, first + n + 1, first + n], 1)]
    )
    return Mesh(np.stack([x, y, 0 * x], axis=1).astype(float), faces)


def disc(mesh: Mesh, x: float, y: float, radius: float) -> np.ndarray:
    return np.hypot(mesh.vertices_mm[:, 0] - x, mesh.vertices_mm[:, 1] - y) <= radius


def test_a_lesion_inside_is_filled_however_large() -> None:
    mesh = sheet()
    whole = disc(mesh, 30, 30, 20)
    covered = whole & ~disc(mesh, 32, 28, 9)
    np.testing.assert_array_equal(closed_footprint(mesh, covered), whole)
    areas = vertex_areas(mesh)
    assert areas[whole & ~covered].sum() == pytest.approx(np.pi * 81, rel=0.03)


def test_a_narrow_bay_is_closed_and_a_wide_one_left() -> None:
    mesh = sheet()
    whole = disc(mesh, 30, 30, 20)
    x, y = mesh.vertices_mm[:, 0], mesh.vertices_mm[:, 1]
    narrow = whole & ~((np.abs(x - 30) <= 1.5) & (y > 30))
    assert (closed_footprint(mesh, narrow) & whole).sum() > 0.995 * whole.sum()
    wide = whole & ~((np.abs(x - 30) <= 8) & (y > 30))
    assert closed_footprint(mesh, wide).sum() < wide.sum() + 0.02 * whole.sum()


def test_sound_cartilage_gains_nothing() -> None:
    mesh = sheet()
    whole = disc(mesh, 30, 30, 20)
    assert closed_footprint(mesh, whole).sum() <= 1.01 * whole.sum()
    two = disc(mesh, 15, 30, 9) | disc(mesh, 45, 30, 9)
    assert closed_footprint(mesh, two).sum() <= 1.01 * two.sum()
    none = np.zeros(len(whole), dtype=bool)
    assert not closed_footprint(mesh, none).any()
    assert closed_footprint(mesh, ~none).all()


def test_only_gaps_between_bone_and_cartilage_are_filled() -> None:
    bone, cartilage = (np.zeros((8, 6, 6), dtype=bool) for _ in range(2))
    bone[:3], cartilage[4:6, 1:5, 1:5] = True, True
    expected = cartilage.copy()
    expected[3, 1:5, 1:5] = True
    np.testing.assert_array_equal(with_gaps_filled(bone, cartilage), expected)
    # at the foot of the cartilage's edge nothing is gained
    touching = np.zeros_like(bone)
    touching[3:5, 1:5, 1:5] = True
    np.testing.assert_array_equal(with_gaps_filled(bone, touching), touching)
