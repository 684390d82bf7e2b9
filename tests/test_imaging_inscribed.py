"""Tests of imaging.inscribed."""

import numpy as np
import pytest
from scipy import ndimage

from kneecascade.imaging import inscribed
from kneecascade.imaging.inscribed import inscribed_diameter_mm


@pytest.mark.parametrize("layers", [1, 3, 5])
def test_a_slab_is_as_thick_as_its_layers(layers):
    mask = np.zeros((20, 30, 30), dtype=bool)
    mask[4 : 4 + layers] = True
    assert inscribed_diameter_mm(mask, (0.5, 1.0, 1.0)) == pytest.approx(0.5 * layers)


def test_a_ball_has_its_diameter():
    z, y, x = np.ogrid[-15:16, -15:16, -15:16]
    ball = z**2 + y**2 + x**2 <= 10.2**2
    assert inscribed_diameter_mm(ball, (0.5, 0.5, 0.5)) == pytest.approx(10.2, abs=0.6)


def test_an_empty_mask_has_none():
    assert inscribed_diameter_mm(np.zeros((3, 4, 5), dtype=bool), (1.0, 1.0, 1.0)) == 0


@pytest.mark.parametrize("smallest", [0, 10**9])
def test_any_shape_equals_the_distance_transform_of_all_voxels(monkeypatch, smallest):
    """Thin and thick shapes, at the image's edge and within, by blocks and voxel by voxel."""
    monkeypatch.setattr(inscribed, "SMALL_VOXELS", smallest)
    rng = np.random.default_rng(0)
    by_blocks = 0
    for _ in range(60):
        noise = rng.normal(size=rng.integers(4, 40, 3))
        smooth = ndimage.gaussian_filter(noise, rng.uniform(0.5, 5))
        mask = smooth > np.quantile(smooth, rng.uniform(0.05, 0.9))
        spacing = tuple(rng.uniform(0.2, 3, 3).tolist())
        distance = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)
        found = inscribed_diameter_mm(mask, spacing)
        assert found == pytest.approx(2 * distance.max() - min(spacing), abs=1e-4)
        even = np.pad(mask, [(1, 1 + n % 2) for n in mask.shape])
        by_blocks += inscribed._radius_by_blocks_mm(even, spacing) is not None
    assert 10 < by_blocks < 60  # both ways were gone


def test_too_many_pairs_are_left_to_the_distance_transform(monkeypatch):
    monkeypatch.setattr(inscribed, "SMALL_VOXELS", 0)
    cube = np.ones((30, 30, 30), dtype=bool)
    expected = inscribed_diameter_mm(cube, (1.0, 1.0, 1.0))
    monkeypatch.setattr(inscribed, "MOST_PAIRS", 10)
    assert inscribed_diameter_mm(cube, (1.0, 1.0, 1.0)) == pytest.approx(expected) == 29
