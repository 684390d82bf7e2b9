"""Curvature: exact on analytic meshes, near on binary masks."""

from __future__ import annotations

import numpy as np
import pytest
from shells import ball_with_cap, grid_around, points_mm

from kneecascade.biomarkers.curvature import curvature
from kneecascade.biomarkers.field import Field, grid_of
from kneecascade.biomarkers.frame import find_frame
from kneecascade.biomarkers.joint import make_joint
from kneecascade.biomarkers.mesh import LEVEL, Mesh, extract
from kneecascade.biomarkers.shape import rows_of_shape, shape_of_joint


def sheet(height) -> Mesh:  # type: ignore[no-untyped-def]
    """Returns the graph of a function over a square of 40 mm, normals towards +z."""
    side = np.linspace(-20, 20, 61)
    x, y = np.meshgrid(side, side, indexing="ij")
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (
        index[s, t].ravel() for s in (slice(0, -1), slice(1, None)) for t in (slice(0, -1), slice(1, None))
    )
    faces = np.concatenate([np.stack([a, c, d], axis=1), np.stack([a, d, b], axis=1)])
    return Mesh(np.stack([x.ravel(), y.ravel(), height(x, y).ravel()], axis=1), faces)


def middle(mesh: Mesh) -> np.ndarray:
    return np.hypot(mesh.vertices_mm[:, 0], mesh.vertices_mm[:, 1]) < 8


@pytest.mark.parametrize("radius", [25.0, 40.0])
def test_a_sphere(radius: float) -> None:
    mesh = sheet(lambda x, y: np.sqrt(radius**2 - np.minimum(x**2 + y**2, 0.98 * radius**2)))
    found = curvature(mesh)
    here = middle(mesh)
    assert np.allclose(found.mean_per_mm[here], 1 / radius, rtol=0.02)
    assert np.allclose(found.gaussian_per_mm2[here], 1 / radius**2, rtol=0.04)
    assert (found.shape_index[here] > 0.9).all()


@pytest.mark.parametrize("radius", [15.0, 20.0])
def test_a_small_sphere_all_around(radius: float) -> None:
    geometry = grid_around(2 * radius + 6, (0.7, 0.7, 0.7))
    depth = radius - np.linalg.norm(points_mm(geometry), axis=-1)
    found = curvature(extract(Field((depth + LEVEL).astype(np.float32), grid_of(geometry))))
    np.testing.assert_allclose(found.mean_per_mm, 1 / radius, rtol=0.02)
    np.testing.assert_allclose(found.gaussian_per_mm2, 1 / radius**2, rtol=0.04)


def test_a_cylinder() -> None:
    mesh = sheet(lambda x, y: np.sqrt(30.0**2 - x**2) + 0 * y)
    found, here = curvature(mesh), middle(mesh)
    assert np.allclose(found.mean_per_mm[here], 1 / 60, rtol=0.02)
    assert np.abs(found.gaussian_per_mm2[here]).max() < 2e-5
    assert np.allclose(found.largest_per_mm[here], 1 / 30, rtol=0.02)
    assert np.allclose(found.shape_index[here], 0.5, atol=0.02)


def test_a_saddle_a_bowl_and_a_plane() -> None:
    saddle = sheet(lambda x, y: (x**2 - y**2) / 60)
    found, here = curvature(saddle), np.hypot(*saddle.vertices_mm[:, :2].T) < 0.5
    assert np.allclose(found.gaussian_per_mm2[here], -1 / 900, rtol=0.02)
    assert np.allclose(found.shape_index[here], 0, atol=0.02)
    bowl = curvature(sheet(lambda x, y: (x**2 + y**2) / 60))
    assert np.allclose(bowl.mean_per_mm[here], -1 / 30, rtol=0.02)
    assert np.allclose(bowl.shape_index[here], -1, atol=0.02)
    flat = curvature(sheet(lambda x, y: 0.2 * x + 0 * y))
    assert np.nanmax(np.abs(flat.mean_per_mm)) < 1e-9


def test_the_border_is_left_out_and_what_is_not_kept() -> None:
    mesh = sheet(lambda x, y: 0 * x)
    found = curvature(mesh, radius_mm=5.0)
    edge = 20 - np.abs(mesh.vertices_mm[:, :2]).max(axis=1)
    assert np.isnan(found.mean_per_mm[edge < 4.9]).all()
    assert np.isfinite(found.mean_per_mm[edge > 5.1]).all()
    few = curvature(mesh, keep=middle(mesh))
    assert np.array_equal(np.isfinite(few.mean_per_mm), middle(mesh))


def test_an_empty_surface() -> None:
    assert curvature(Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))).mean_per_mm.size == 0


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.36, 0.36, 0.7)])
@pytest.mark.parametrize("radius", [15.0, 25.0])
def test_a_ball_drawn_in_voxels(spacing: tuple[float, float, float], radius: float) -> None:
    geometry = grid_around(2 * radius + 14, spacing)
    labels = ball_with_cap(geometry, radius, 2.0)
    joint = make_joint(
        "femur", "femoral_cartilage", labels == 1, labels == 2, geometry, find_frame("unknown", None)
    )
    assert joint is not None
    bone, articular = shape_of_joint(joint)
    for shape, true in ((bone, radius), (articular, radius + 2)):
        error = np.abs(shape.mean_per_mm * true - 1)
        assert np.nanmedian(error) < 0.05
        assert np.nanmedian(shape.gaussian_per_mm2) * true**2 == pytest.approx(1, abs=0.08)
    rows = list(rows_of_shape("case", joint, {}, (bone, articular)))
    median = {(r.structure, r.measure): r.value for r in rows}
    assert median["femur_subchondral_bone", "curvature_mean_median"] == pytest.approx(1 / radius, rel=0.1)
    assert median["femoral_cartilage_surface", "shape_index_median"] > 0.8  # type: ignore[operator]
