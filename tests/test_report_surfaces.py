"""Surfaces to look at."""

from __future__ import annotations

import base64

import numpy as np

from kneecascade.report.surfaces import surface


def test_a_ball_is_where_it_lies_and_as_large() -> None:
    spacing = (2.0, 1.0, 0.5)
    z, y, x = np.meshgrid(
        *(np.arange(n) * s for n, s in zip((40, 60, 120), spacing, strict=True)), indexing="ij"
    )
    mesh = surface((z - 40) ** 2 + (y - 25) ** 2 + (x - 30) ** 2 < 15**2, spacing)
    assert mesh is not None
    points = np.frombuffer(base64.b64decode(mesh["vertices"]), np.float32).reshape(-1, 3)
    triangles = np.frombuffer(base64.b64decode(mesh["triangles"]), np.int32).reshape(-1, 3)
    assert triangles.max() == len(points) - 1
    # voxel k covers k to k + 1, so its middle lies half a voxel further
    middle = np.array([30 + 0.25, 25 + 0.5, 40 + 1.0])
    radius = np.linalg.norm(points - middle, axis=1)
    assert abs(radius.mean() - 15) < 0.4
    assert radius.std() < 0.3


def test_a_thin_sheet_stays_whole() -> None:
    sheet = np.zeros((40, 60, 60), bool)
    sheet[20, 5:55, 5:55] = True
    mesh = surface(sheet, (0.7, 0.7, 0.7))
    assert mesh is not None
    points = np.frombuffer(base64.b64decode(mesh["vertices"]), np.float32).reshape(-1, 3)
    assert points[:, 0].max() - points[:, 0].min() > 0.9 * 50 * 0.7


def test_nothing_has_no_surface() -> None:
    assert surface(np.zeros((5, 5, 5), bool), (1.0, 1.0, 1.0)) is None


def test_points_take_the_value_of_the_nearest_voxel_that_has_one() -> None:
    sheet = np.zeros((30, 40, 40), bool)
    sheet[14:17, 5:35, 5:35] = True
    values = np.zeros(sheet.shape, np.float32)
    values[15, 5:35, 5:20], values[15, 5:35, 20:35] = 1.5, 3.0
    mesh = surface(sheet, (0.7, 0.7, 0.7), values)
    assert mesh is not None
    points = np.frombuffer(base64.b64decode(mesh["vertices"]), np.float32).reshape(-1, 3)
    found = np.frombuffer(base64.b64decode(mesh["values"]), np.float32)
    expected = np.where(points[:, 0] < 20 * 0.7, 1.5, 3.0)
    assert len(found) == len(points)
    np.testing.assert_array_equal(
        found[np.abs(points[:, 0] - 14) > 0.1], expected[np.abs(points[:, 0] - 14) > 0.1]
    )
    bare = surface(sheet, (0.7, 0.7, 0.7), values * 0)
    assert bare is not None
    assert "values" not in bare
