"""Tests of imaging.small_pieces: what goes, what stays, what fills the place."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.core.labels import Labels
from kneecascade.core.piece_rules import PieceRule
from kneecascade.imaging.small_pieces import drop_small_pieces, find_small_pieces

LABELS = Labels(("background", "bone", "cartilage"), (0, 7, 3))
LARGEST = PieceRule("cartilage", "largest")


def _image(dtype: type = np.uint8) -> np.ndarray:
    """A block of bone, a sheet of cartilage on it, a speck of cartilage inside it, one in the air."""
    array = np.zeros((20, 20, 20), dtype=dtype)
    array[2:12, 2:12, 2:12] = 7
    array[12:14, 2:12, 2:12] = 3
    array[5:7, 5:7, 5:7] = 3
    array[17, 17, 15:18] = 3
    return array


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_a_speck_in_bone_becomes_bone_and_one_in_air_background(dtype: type) -> None:
    array = _image(dtype)
    before = array.copy()
    found, lost = drop_small_pieces(array, LABELS, [LARGEST], voxel_mm3=0.5)
    wanted = before.copy()
    wanted[5:7, 5:7, 5:7] = 7
    wanted[17, 17, 15:18] = 0
    assert found.dtype == dtype
    assert np.array_equal(found, wanted)
    assert np.array_equal(array, before)
    assert lost == {"cartilage": (8 + 3) * 0.5}


def test_pieces_above_a_volume_stay() -> None:
    found, lost = drop_small_pieces(_image(), LABELS, [PieceRule("cartilage", "above", 2.0)], 0.5)
    assert (found[5:7, 5:7, 5:7] == 3).all()
    assert not found[17, 17].any()
    assert lost == {"cartilage": 1.5}
    same, nothing = drop_small_pieces(found, LABELS, [PieceRule("cartilage", "above", 2.0)], 0.5)
    assert same is found
    assert nothing == {}


def test_all_of_a_label_may_go_by_volume_but_never_its_largest_piece() -> None:
    array = np.zeros((6, 6, 6), np.uint8)
    array[1, 1, 1] = 3
    assert not drop_small_pieces(array, LABELS, [PieceRule("cartilage", "above", 2.0)], 1.0)[0].any()
    assert drop_small_pieces(array, LABELS, [LARGEST], 1.0)[0] is array
    assert find_small_pieces(np.zeros_like(array), LABELS, LARGEST, 1.0) is None


def test_corners_connect_and_the_border_of_the_image_is_no_neighbour() -> None:
    array = np.zeros((4, 4, 4), np.uint8)
    array[0, 0, 0] = array[1, 1, 1] = 3
    assert find_small_pieces(array, LABELS, LARGEST, 1.0) is None
    array = np.full((4, 4, 4), 7, np.uint8)
    array[2:, 2:, 2:] = 3
    array[0, 0, 0] = 3
    found, _ = drop_small_pieces(array, LABELS, [LARGEST], 1.0)
    assert found[0, 0, 0] == 7


def test_two_specks_that_touch_do_not_fill_each_other_and_order_changes_nothing() -> None:
    array = np.zeros((12, 12, 12), np.uint8)
    array[:4] = 7
    array[10:] = 3
    array[6, 5, 5] = 3
    array[7, 5, 5] = 7  # a speck of bone on a speck of cartilage, air all around
    rules = [LARGEST, PieceRule("bone", "largest")]
    found, lost = drop_small_pieces(array, LABELS, rules, 1.0)
    other, _ = drop_small_pieces(array, LABELS, rules[::-1], 1.0)
    assert found[6, 5, 5] == found[7, 5, 5] == 0
    assert np.array_equal(found, other)
    assert lost == {"cartilage": 1.0, "bone": 1.0}


def test_no_majority_is_background() -> None:
    array = np.zeros((5, 5, 5), np.uint8)
    array[2, 2, 2] = 3
    array[1, 2, 2] = array[3, 2, 2] = array[2, 1, 2] = 7  # three of six neighbours
    array[0] = 3
    found, _ = drop_small_pieces(array, LABELS, [LARGEST], 1.0)
    assert found[2, 2, 2] in (0, 3)
    array[2, 3, 2] = 7
    array[0] = 0
    array[0, 4] = 3
    found, _ = drop_small_pieces(array, LABELS, [LARGEST], 1.0)
    assert found[2, 2, 2] == 7
