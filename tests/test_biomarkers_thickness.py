"""kneecascade.biomarkers.thickness; its accuracy is in test_biomarkers_joint."""

from __future__ import annotations

import numpy as np
from skimage.measure import marching_cubes

from kneecascade.biomarkers.mesh import Mesh
from kneecascade.biomarkers.thickness import to_nearest


def test_the_nearest_point_does_not_know_the_order_of_vertices() -> None:
    """Nor which edge of a face comes first: a mirrored knee has both otherwise."""
    z, y, x = np.mgrid[:24, :40, :40]
    inside = (((z - 11.5) * 0.7) ** 2 + ((y - 19.5) * 0.37) ** 2 + ((x - 19.5) * 0.37) ** 2) < 6.0**2
    vertices, faces, _, _ = marching_cubes(inside.astype(np.float32), 0.5, spacing=(0.7, 0.37, 0.37))
    vertices = vertices.astype(float)
    points = vertices[::3] * 0.8 + vertices.mean(axis=0) * 0.2
    before = to_nearest(points, Mesh(vertices, faces))
    order = np.random.default_rng(0).permutation(len(vertices))
    shuffled = Mesh(vertices[order], np.argsort(order)[np.roll(faces, 1, axis=1)])
    np.testing.assert_allclose(to_nearest(points, shuffled), before, atol=1e-9)
    assert 0.5 < before.mean() < 1.5


def test_no_surface_has_no_nearest_point() -> None:
    nothing = Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=int))
    assert np.isnan(to_nearest(np.zeros((2, 3)), nothing)).all()
