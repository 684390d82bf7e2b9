"""kneecascade.planning.spacing."""

from __future__ import annotations

from math import prod

import pytest
from fingerprints import knee_case

from kneecascade.core.geometry import Float3
from kneecascade.planning.spacing import coarse_spacing, coarsened, fine_spacing, median_extent, shape_at


def fine(*spacings: Float3) -> Float3:
    return fine_spacing([knee_case(str(k), (100, 100, 100), mm) for k, mm in enumerate(spacings)])


def test_the_median_is_taken_axis_by_axis() -> None:
    assert fine((0.5, 0.3, 0.7), (0.4, 0.3, 0.8), (0.3, 0.9, 0.9)) == (0.4, 0.3, 0.8)
    assert fine((0.36458334, 0.36458333, 0.70000005)) == (0.36458, 0.36458, 0.7)


def test_a_much_coarser_axis_takes_its_tenth_percentile() -> None:
    thick = [(0.3, 0.3, mm) for mm in (2.0, 3.0, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 4.0, 4.0)]
    assert fine(*thick) == (0.3, 0.3, 3.0)
    # never finer than the other axes
    assert fine((0.5, 0.5, 0.1), *[(0.5, 0.5, 3.0)] * 2) == pytest.approx((0.5, 0.5, 0.68))
    assert fine((0.5, 0.5, 0.1), (0.5, 0.5, 0.1), *[(0.5, 0.5, 3.0)] * 3) == (0.5, 0.5, 0.5)
    # three times is not more than three times
    assert fine((0.5, 0.5, 1.0), *[(0.5, 0.5, 1.5)] * 9) == (0.5, 0.5, 1.5)


def test_twice_as_coarse_at_least_but_thick_slices_stay() -> None:
    assert coarsened((0.365, 0.365, 0.7), 0.1) == (0.73, 0.73, 1.4)
    assert coarsened((0.365, 0.365, 0.7), 1.0) == (1.0, 1.0, 1.4)
    assert coarsened((0.365, 0.365, 0.7), 2.0) == (2.0, 2.0, 2.0)
    assert coarsened((0.3, 0.3, 3.5), 1.0) == (1.0, 1.0, 3.5)
    assert coarsened((0.3, 0.3, 3.5), 5.0) == (5.0, 5.0, 7.0)


@pytest.mark.parametrize("voxels", [300_000, 1_500_000])
@pytest.mark.parametrize(
    ("fine_mm", "image_mm"),
    [
        ((0.365, 0.365, 0.7), (140.0, 140.0, 112.0)),
        ((0.3, 0.3, 3.5), (150.0, 150.0, 90.0)),
        ((0.5, 0.5, 0.5), (160.0, 160.0, 160.0)),
    ],
)
def test_the_finest_that_fits_is_found(voxels: int, fine_mm: Float3, image_mm: Float3) -> None:
    found = coarse_spacing(fine_mm, lambda mm: prod(shape_at(image_mm, mm)) <= voxels, one_patch=False)
    assert found is not None
    size = prod(shape_at(image_mm, found))
    finest = prod(shape_at(image_mm, coarsened(fine_mm, 0.0)))
    assert min(0.85 * voxels, finest) <= size <= voxels


def test_a_small_image_is_not_made_coarser_unless_it_must() -> None:
    assert coarse_spacing((1.0, 1.0, 1.0), lambda mm: True, one_patch=True) == (1.0, 1.0, 1.0)
    assert coarse_spacing((1.0, 1.0, 1.0), lambda mm: True, one_patch=False) == (2.0, 2.0, 2.0)
    assert coarse_spacing((1.0, 1.0, 1.0), lambda mm: min(mm) > 1, one_patch=True) == (2.0, 2.0, 2.0)
    assert coarse_spacing((1.0, 1.0, 1.0), lambda mm: False, one_patch=True) is None


def test_shapes_and_extents() -> None:
    cases = [knee_case(str(n), (n, 20, 30), (0.5, 1.0, 2.0)) for n in (10, 20, 60)]
    assert median_extent(cases) == (10.0, 20.0, 60.0)
    assert shape_at((10.0, 20.0, 0.1), (0.5, 3.0, 1.0)) == (20, 7, 1)
