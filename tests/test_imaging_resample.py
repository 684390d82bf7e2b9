"""Tests of imaging.resample."""

import numpy as np
import pytest
from scipy import ndimage

from kneecascade.core.geometry import Box
from kneecascade.imaging.resample import label_fractions, resample_image, resample_labels, target_shape


def smooth(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, 1).astype(np.float32)


def test_target_shape_keeps_the_extent_and_is_never_empty():
    assert target_shape((160, 384, 384), (0.7, 0.365, 0.365), (1.4, 0.73, 0.73)) == (80, 192, 192)
    assert target_shape((2, 10, 10), (1.0, 1.0, 1.0), (9.0, 1.0, 1.0)) == (1, 10, 10)


def test_finer_image_is_scipys_cubic_spline():
    array = smooth((20, 31, 18))
    shape = (29, 50, 27)
    zoom = [new / old for new, old in zip(shape, array.shape, strict=True)]
    expected = ndimage.zoom(array, zoom, order=3, mode="nearest", grid_mode=True)
    assert np.abs(resample_image(array[None], shape)[0] - expected).max() < 2e-6


@pytest.mark.parametrize("shape", [(29, 50, 27), (10, 15, 9), (29, 15, 18), (20, 31, 18)])
def test_a_box_equals_that_part_of_the_whole(shape):
    array = smooth((2, 20, 31, 18))
    box = Box((3, 4, 2), (9, 14, 8))
    whole = resample_image(array, shape)
    assert np.abs(resample_image(array, shape, box) - whole[(slice(None), *box.slices)]).max() < 1e-6


def test_coarser_image_does_not_alias():
    stripes = np.broadcast_to(np.arange(64) % 2, (1, 4, 4, 64)).astype(np.float32)
    assert resample_image(stripes, (4, 4, 20)) == pytest.approx(0.5, abs=0.17)
    assert resample_image(stripes, (4, 4, 16)) == pytest.approx(0.5, abs=1e-6)


def test_equal_grid_returns_the_image_itself_in_value():
    array = smooth((1, 6, 7, 8))
    assert np.array_equal(resample_image(array, (6, 7, 8)), array)


def blocks():
    labels = np.zeros((12, 16, 20), dtype=np.uint8)
    labels[2:9, 3:12, 4:15] = 1
    labels[4:7, 5:9, 6:12] = 3
    return labels


@pytest.mark.parametrize("shape", [(6, 8, 10), (18, 24, 30), (12, 8, 30)])
def test_fractions_sum_to_one_and_keep_volume(shape):
    labels = blocks()
    fractions = label_fractions(labels, range(4), shape)
    assert fractions.sum(axis=0) == pytest.approx(1, abs=1e-5)
    assert not fractions[2].any()
    volume = np.prod(labels.shape) / np.prod(shape)
    assert fractions[3].sum() * volume == pytest.approx((labels == 3).sum(), rel=0.02)


def test_fractions_of_a_box_equal_that_part_of_the_whole():
    box = Box((3, 1, 4), (9, 12, 20))
    whole = label_fractions(blocks(), (0, 1, 3), (10, 20, 26))
    part = label_fractions(blocks(), (0, 1, 3), (10, 20, 26), box)
    assert np.abs(part - whole[(slice(None), *box.slices)]).max() < 1e-6


@pytest.mark.parametrize("shape", [(6, 8, 10), (18, 24, 30), (12, 8, 30)])
def test_labels_are_the_largest_fraction(shape):
    rng = np.random.default_rng(3)
    labels = ndimage.zoom(rng.integers(0, 4, (5, 5, 5)), 3, order=0)[:12, :15, :14].astype(np.uint8)
    fractions = label_fractions(labels, range(4), shape)
    result = resample_labels(labels, 4, shape)
    chosen = np.take_along_axis(fractions, result[None].astype(int), axis=0)[0]
    assert (chosen >= fractions.max(axis=0) - 1e-5).all()
    box = Box((1, 2, 3), (5, 8, 9))
    clear = np.sort(fractions, axis=0)[-1] - np.sort(fractions, axis=0)[-2] > 1e-4
    same = resample_labels(labels, 4, shape, box=box) == result[box.slices]
    assert same[clear[box.slices]].all()


def test_equal_grid_keeps_labels_even_thin_ones():
    labels = np.random.default_rng(4).integers(0, 4, (5, 6, 7)).astype(np.int16)
    assert np.array_equal(resample_labels(labels, 4, (5, 6, 7), thin=(2,)), labels)


def sheet(thickness_mm, offset_mm, tilt, size=120, step=0.2):
    """A sheet (class 2) on top of bone (class 1), under background; fine grid of `step` mm."""
    z, y, x = (np.arange(size) + 0.5 for _ in range(3))
    height = 0.5 * size * step + offset_mm + tilt * step * (y[None, :, None] - size / 2)
    above = z[:, None, None] * step - height + 0 * x
    labels = np.zeros((size, size, size), dtype=np.uint8)
    labels[above < 0] = 1
    labels[(above >= 0) & (above < thickness_mm)] = 2
    return labels


@pytest.mark.parametrize("tilt", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("offset", [0.0, 0.11, 0.31, 0.53, 0.72, 0.94, 1.15])
def test_a_sheet_of_1_mm_keeps_95_percent_of_its_area_at_1_2_mm(offset, tilt):
    labels = sheet(1.0, offset, tilt)
    result = resample_labels(labels, 3, (20, 20, 20), thin=(2,))
    inner = slice(3, -3)
    covered = (result == 2).any(axis=0)[inner, inner]
    assert covered.mean() >= 0.95
    volume = (result[:, inner, inner] == 2).sum() / covered.size * 1.2
    assert volume < 1.75 * np.hypot(1, tilt)  # closed, yet not swollen


def test_a_sheet_in_empty_space_survives_too_and_only_by_precedence():
    worst = 0.0
    for offset in np.linspace(0, 1.2, 7):
        labels = sheet(1.0, float(offset), 0.3)
        labels[labels == 1] = 0
        closed = (resample_labels(labels, 3, (20, 20, 20), thin=(2,)) == 2).any(axis=0)
        plain = (resample_labels(labels, 3, (20, 20, 20)) == 2).any(axis=0)
        assert closed.mean() >= 0.95
        worst = max(worst, 1 - plain.mean())
    assert worst > 0.05


def test_precedence_is_not_used_where_no_axis_gets_coarser():
    labels = blocks()
    finer = (18, 24, 30)
    assert np.array_equal(resample_labels(labels, 4, finer, thin=(3,)), resample_labels(labels, 4, finer))


@pytest.mark.parametrize("thickness", [5, 7])
@pytest.mark.parametrize("offset", [0, 1])
def test_a_layer_keeps_its_thickness_at_half_the_resolution(thickness, offset):
    """Half-filled voxels on both sides of a layer: one side gains what the other loses."""
    labels = np.zeros((40, 40, 12), np.uint8)
    labels[:, 10 + offset : 10 + offset + thickness] = 2
    labels[:, : 10 + offset] = 1
    kept = resample_labels(labels, 3, (20, 20, 12))
    volume = (kept == 2).sum() * 4 / (labels == 2).sum()
    assert abs(volume - 1) <= 1 / thickness + 1e-9
    sizes = [(resample_labels(np.roll(labels, k, 1), 3, (20, 20, 12)) == 2).sum() for k in range(4)]
    assert np.mean(sizes) * 4 == pytest.approx((labels == 2).sum(), rel=0.01)
