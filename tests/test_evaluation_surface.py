from __future__ import annotations

import numpy as np
import pytest
from shapes import block, radius_mm, ragged, slab

from kneecascade.core.geometry import Box, Float3
from kneecascade.evaluation.surface import ALL, corners_of, neighbour_codes, surface_of

SPACING: Float3 = (0.7, 0.4, 0.3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_sheet_has_its_area_exactly(axis: int) -> None:
    shape = (12, 14, 16)
    surface = surface_of(slab(shape, axis, 5, 8), SPACING)
    inner = tuple(slice(5, 9) if k == axis else slice(3, -3) for k in range(3))
    edges = [(n - 5) * mm for k, (n, mm) in enumerate(zip(shape, SPACING, strict=True)) if k != axis]
    assert surface.areas_mm2[inner].sum() == pytest.approx(2 * edges[0] * edges[1], rel=1e-6)


def test_a_ball_has_about_its_area() -> None:
    ball = radius_mm((50, 50, 50), (1.0, 1.0, 1.0)) < 20
    # steps of voxels add area: never less than the ball's, less than a tenth more
    assert 1.0 < surface_of(ball, (1.0, 1.0, 1.0)).area_mm2 / (4 * np.pi * 20**2) < 1.1


def test_elements_lie_on_corners_and_sides_do_not_matter() -> None:
    mask = ragged(0)
    codes = neighbour_codes(np.pad(mask, 1))
    surface = surface_of(mask, SPACING)
    assert np.array_equal(surface.there, (codes > 0) & (codes < ALL))
    inside = surface_of(~np.pad(mask, 1), SPACING).areas_mm2[1:-1, 1:-1, 1:-1]
    assert np.array_equal(inside, surface.areas_mm2)


def test_a_box_changes_nothing() -> None:
    mask = block((12, 12, 12), (3, 4, 5), (6, 9, 8))
    part = surface_of(mask, SPACING, Box((2, 4, 5), (8, 10, 9)))
    whole = surface_of(mask, SPACING)
    assert np.array_equal(part.areas_mm2, whole.areas_mm2[2:9, 4:11, 5:10])
    assert part.area_mm2 == pytest.approx(whole.area_mm2)


def test_empty_and_full() -> None:
    assert surface_of(np.zeros((3, 3, 3), dtype=bool), SPACING).area_mm2 == 0
    full = surface_of(np.ones((3, 3, 3), dtype=bool), SPACING)
    assert full.there.sum() == 4**3 - 2**3  # the edge of the image is surface
    assert not surface_of(np.zeros((0, 3, 3), dtype=bool), SPACING).there.any()


def test_corners_of_a_voxel() -> None:
    corners = corners_of(block((4, 4, 4), (1, 1, 1), (2, 2, 2)))
    assert np.array_equal(corners, block((5, 5, 5), (1, 1, 1), (3, 3, 3)))


def test_areas_are_the_published_ones() -> None:
    tables = pytest.importorskip("surface_distance.lookup_tables")
    theirs = tables.create_table_neighbour_code_to_surface_area(SPACING)
    kernel = np.array(tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL)
    for code in range(ALL + 1):
        corner = (kernel & code).astype(bool)
        assert surface_of(corner, SPACING).areas_mm2[1, 1, 1] == pytest.approx(theirs[code], abs=1e-6)
