from __future__ import annotations

import numpy as np
import pytest
from solid_joints import SPACINGS, box_geometry, layered, points_of, sphere, turned

from kneecascade.biomarkers.field import (
    Field,
    grid_of,
    pool_factors,
    pooled,
    smoothed,
    smoothing_mm,
    working_grid,
)
from kneecascade.biomarkers.mesh import (
    Mesh,
    border,
    cut,
    enclosed_mm3,
    extract,
    face_areas,
    neighbours,
    vertex_areas,
    vertex_normals,
)
from kneecascade.core.geometry import Box, Geometry

RADIUS = 12.0


def ball(spacing: tuple[float, float, float], seed: int, mirror: bool = False) -> Mesh:
    direction = turned(seed) @ np.diag([-1.0 if mirror else 1.0, 1.0, 1.0])
    geometry = box_geometry(spacing, 30, direction)
    mask = layered(sphere(RADIUS), 0, geometry).array == 1
    factors = pool_factors(spacing)
    grid = working_grid(grid_of(geometry), Box.whole(geometry.shape_zyx), factors)
    return extract(smoothed(pooled(mask, factors), grid, smoothing_mm(spacing)))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(("seed", "mirror"), [(0, False), (3, False), (4, True)])
def test_a_ball_of_voxels_becomes_a_sphere(
    spacing: tuple[float, float, float], seed: int, mirror: bool
) -> None:
    mesh = ball(spacing, seed, mirror)
    assert vertex_areas(mesh).sum() == pytest.approx(4 * np.pi * RADIUS**2, rel=0.015)
    assert face_areas(mesh).sum() == pytest.approx(vertex_areas(mesh).sum())
    assert enclosed_mm3(mesh) == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)
    away = mesh.vertices_mm / np.linalg.norm(mesh.vertices_mm, axis=1, keepdims=True)
    assert (vertex_normals(mesh) * away).sum(axis=1).min() > 0.8
    assert not border(mesh).any()


def test_a_field_gives_back_what_lies_at_its_samples() -> None:
    geometry = Geometry((4, 5, 6), (0.5, 1.0, 2.0), (7.0, -3.0, 2.0), tuple(turned(5).ravel()))
    array = np.random.default_rng(0).random(geometry.shape_zyx).astype(np.float32)
    points = points_of(geometry)
    field = Field(array, grid_of(geometry))
    np.testing.assert_allclose(field.at(points), array.ravel(), atol=1e-6)
    index = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(field.grid.to_index(field.grid.to_mm(index)), index, atol=1e-9)


def test_the_gradient_of_a_slope_is_the_slope() -> None:
    geometry = Geometry((20, 20, 20), (0.5, 0.5, 0.7), (1.0, 2.0, 3.0), tuple(turned(6).ravel()))
    slope = np.array([0.3, -0.2, 0.5])
    array = (points_of(geometry) @ slope).reshape(geometry.shape_zyx).astype(np.float32)
    middle = points_of(geometry).mean(axis=0)[None]
    np.testing.assert_allclose(Field(array, grid_of(geometry)).gradient_at(middle)[0], slope, atol=1e-4)


def test_pooling_keeps_the_share_and_the_place() -> None:
    mask = np.random.default_rng(1).random((4, 6, 5)) < 0.4
    small = pooled(mask, (2, 3, 1))
    assert small.shape == (2, 2, 5)
    assert small.mean() == pytest.approx(mask.mean())
    assert small[0, 1, 2] == pytest.approx(mask[0:2, 3:6, 2].mean())
    grid = grid_of(Geometry((4, 6, 5), (1.0, 1.0, 1.0)))
    coarse = working_grid(grid, Box((1, 0, 0), (4, 6, 5)), (2, 3, 1))
    assert coarse.spacing_mm == (2.0, 3.0, 1.0)
    np.testing.assert_allclose(coarse.origin_mm_xyz, (0.0, 1.0, 1.5))
    assert pooled(np.ones((3, 3, 3), bool), (2, 2, 2)).tolist() == np.ones((2, 2, 2)).tolist()


def test_cutting_leaves_a_border() -> None:
    mesh = ball((0.5, 0.5, 0.5), 0)
    half, old = cut(mesh, mesh.vertices_mm[:, 2] > 0)
    np.testing.assert_array_equal(half.vertices_mm, mesh.vertices_mm[old])
    assert half.vertices_mm[:, 2].min() > 0
    rim = border(half)
    assert 0 < rim.sum() < 0.2 * len(old)
    assert half.vertices_mm[rim, 2].max() < 1.5
    assert (neighbours(half).sum(axis=1) > 0).all()


def test_nothing_has_no_surface() -> None:
    empty = extract(Field(np.zeros((5, 5, 5), np.float32), grid_of(Geometry((5, 5, 5), (1.0, 1.0, 1.0)))))
    assert empty.faces.shape == (0, 3)
    assert enclosed_mm3(empty) == 0
