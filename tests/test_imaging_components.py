"""Tests of imaging.components."""

import numpy as np

from kneecascade.core.geometry import Box
from kneecascade.imaging.components import (
    bounding_box,
    bounding_boxes,
    count_components,
    dilate_box,
    margin_voxels,
    plausible_components,
    scale_box,
)


def mask_with_a_block_and_specks():
    mask = np.zeros((12, 14, 16), dtype=bool)
    mask[2:6, 3:8, 4:9] = True  # 100 voxels
    mask[6, 8, 9] = True  # touches the block by a corner: the same component
    mask[10, 12, 14] = True
    return mask


def test_small_components_go_and_corners_connect():
    mask = mask_with_a_block_and_specks()
    kept = plausible_components(mask, 2)
    assert kept.dtype == bool
    assert kept.sum() == 101
    assert not kept[10, 12, 14]
    assert count_components(mask) == 2


def test_exactly_the_smallest_size_is_kept():
    mask = mask_with_a_block_and_specks()
    assert plausible_components(mask, 101).sum() == 101
    assert not plausible_components(mask, 102).any()
    assert plausible_components(mask.astype(np.uint8) * 7, 1).sum() == 102


def test_empty_masks():
    empty = np.zeros((3, 4, 5), dtype=bool)
    assert not plausible_components(empty, 1).any()
    assert count_components(empty) == 0
    assert bounding_box(empty) is None
    assert bounding_boxes(empty, 3) == {}


def test_bounding_box_equals_the_extremes_of_all_voxels():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = rng.random((6, 7, 8)) > 0.985
        places = np.argwhere(mask)
        box = bounding_box(mask)
        if not len(places):
            assert box is None
            continue
        assert box == Box(tuple(places.min(axis=0)), tuple(places.max(axis=0) + 1))


def test_every_class_has_its_bounding_box():
    labels = np.random.default_rng(1).integers(0, 4, (5, 6, 7)).astype(np.uint8)
    labels[labels == 2] = 0
    labels[0] = 0
    assert bounding_boxes(labels, 4) == {k: bounding_box(labels == k) for k in (1, 3)}
    assert set(bounding_boxes(labels, 3)) == {1}


def test_dilated_boxes_stop_at_the_grid():
    assert dilate_box(Box((1, 5, 5), (4, 6, 9)), (2, 1, 3), (10, 10, 10)) == Box((0, 4, 2), (6, 7, 10))


def test_scaled_boxes_cover_the_extent_of_the_old():
    assert scale_box(Box((1, 2, 3), (3, 4, 5)), (10, 10, 10), (20, 5, 13)) == Box((2, 1, 3), (6, 2, 7))
    rng = np.random.default_rng(1)
    for _ in range(50):
        old, new = (tuple(int(n) for n in rng.integers(3, 40, 3)) for _ in range(2))
        start = tuple(int(rng.integers(0, n)) for n in old)
        stop = tuple(int(rng.integers(a + 1, n + 1)) for a, n in zip(start, old, strict=True))
        scaled = scale_box(Box(start, stop), old, new)
        for k in range(3):
            assert 0 <= scaled.start_zyx[k] / new[k] <= start[k] / old[k]
            assert stop[k] / old[k] <= scaled.stop_zyx[k] / new[k] <= 1
            assert start[k] / old[k] - scaled.start_zyx[k] / new[k] < 1 / new[k]
            assert scaled.stop_zyx[k] / new[k] - stop[k] / old[k] < 1 / new[k]


def test_margins_are_rounded_up():
    assert margin_voxels(8.0, (0.7, 0.4, 4.0)) == (12, 20, 2)
    assert margin_voxels(0.0, (1.0, 1.0, 1.0)) == (0, 0, 0)
