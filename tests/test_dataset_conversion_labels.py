"""Labels, orientation and overlap: dataset_conversion.labels, .anatomy, .overlap."""

from __future__ import annotations

import numpy as np
import pytest
from public_layouts import BONE_VALUES, CM_VALUES, SKM_VALUES, block_knee, grey_image, labels_of

from kneecascade.dataset_conversion.anatomy import (
    centre_mm,
    centres_of,
    is_back_to_front,
    is_upside_down,
    shaft_before_condyles_mm,
    side_of,
)
from kneecascade.dataset_conversion.labels import from_one_hot, map_labels, missing_labels, written_labels
from kneecascade.dataset_conversion.oai_zib import only_turn, without_stray
from kneecascade.dataset_conversion.overlap import contrast, ranked_turns, turned
from kneecascade.dataset_conversion.reading import grid
from kneecascade.errors import DatasetError

SKM_NAMES = {value: name for name, value in SKM_VALUES.items()}
CANONICAL = ("IS", "AP", "RL")


def test_values_stay_and_menisci_merge() -> None:
    assert written_labels(SKM_NAMES, False) == {"background": 0, **SKM_VALUES}
    merged = written_labels(SKM_NAMES, True)
    assert merged["menisci"] == 5
    assert not set(merged) & {"medial_meniscus", "lateral_meniscus"}
    with pytest.raises(DatasetError, match="has no medial_meniscus"):
        written_labels({1: "femur"}, True)


def test_merged_labels_keep_every_voxel() -> None:
    array = labels_of(block_knee(), SKM_VALUES)
    mapped, counts = map_labels(array, SKM_NAMES, written_labels(SKM_NAMES, True), "here")
    np.testing.assert_array_equal(mapped, np.where(array == 6, 5, array))
    assert counts["menisci"] == np.isin(array, (5, 6)).sum()
    assert missing_labels(counts, ("menisci", "femoral_cartilage")) == []
    assert missing_labels({"menisci": 0}, ("menisci",)) == ["menisci"]


def test_unknown_values_are_refused_by_name() -> None:
    with pytest.raises(DatasetError, match=r"a: holds the label value 9 \(2 voxels\), .* 1 femur"):
        map_labels(np.array([0, 1, 9, 9]), {1: "femur"}, {"background": 0, "femur": 1}, "a")


def test_a_label_that_vanishes_is_noticed() -> None:
    # two names on one value: the table that lost a public data set's menisci
    with pytest.raises(DatasetError, match="femur had 1 voxels and has 2 now"):
        map_labels(np.array([1, 2]), {1: "femur", 2: "tibia"}, {"background": 0, "femur": 1, "tibia": 1}, "a")


def test_one_hot_without_background() -> None:
    array = labels_of(block_knee(), SKM_VALUES)
    one_hot = np.stack([array == value for value in range(1, 7)], axis=-1)
    values, notes = from_one_hot(one_hot, "here")
    np.testing.assert_array_equal(values, array)
    assert notes == ()
    # the trap: the largest of the masks is the first one wherever none is set
    assert (one_hot.argmax(axis=-1) == 0).sum() > (values == 1).sum()


def test_overlapping_masks_are_told_or_refused() -> None:
    one_hot = np.zeros((10, 10, 10, 2), bool)
    one_hot[:5, ..., 0] = one_hot[5:, ..., 1] = True
    one_hot[5, 0, 0, 0] = True
    values, notes = from_one_hot(one_hot, "here")
    assert values[5, 0, 0] == 1
    assert notes == ("1 voxels belong to two masks; the first has them",)
    one_hot[5, ..., 0] = True
    with pytest.raises(DatasetError, match="100 of 500 voxels of mask 1 belong to other masks"):
        from_one_hot(one_hot, "here")


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("axes", [CANONICAL, ("SI", "PA", "LR"), ("IS", "AP", "LR")])
def test_the_side_follows_from_where_medial_lies(side: str, axes: tuple[str, str, str]) -> None:
    array = labels_of(block_knee(side), CM_VALUES)
    flips = tuple(k for k, (a, b) in enumerate(zip(axes, CANONICAL, strict=True)) if a != b)
    array = np.flip(array, flips)
    geometry = grid(array.shape, (3.0, 3.0, 4.0), axes)
    centres = centres_of(array, {v: n for n, v in CM_VALUES.items()}, geometry)
    assert side_of(centres) == side
    assert not is_upside_down(centres)


def test_wrong_axes_are_noticed() -> None:
    array = labels_of(block_knee(), SKM_VALUES)
    turned_over = grid(array.shape, (3.0, 3.0, 4.0), ("SI", "AP", "RL"))
    assert is_upside_down(centres_of(array, SKM_NAMES, turned_over))
    backwards = grid(array.shape, (3.0, 3.0, 4.0), ("IS", "PA", "RL"))
    assert is_back_to_front(centres_of(array, SKM_NAMES, backwards))
    right = centres_of(array, SKM_NAMES, grid(array.shape, (3.0, 3.0, 4.0), CANONICAL))
    assert not is_back_to_front(right)
    assert not is_upside_down(right)


def test_the_shaft_lies_before_the_condyles() -> None:
    mask = np.zeros((20, 12, 4), bool)
    mask[2:8, 2:11] = mask[8:18, 2:6] = True
    for axes, sign in ((CANONICAL, 1), (("IS", "PA", "RL"), -1)):
        geometry = grid(mask.shape, (1.0, 2.0, 1.0), axes)
        assert sign * shaft_before_condyles_mm(mask, geometry) == pytest.approx(2 * (6 - 3.5))
    assert shaft_before_condyles_mm(mask & False, geometry) == 0


def test_a_small_difference_tells_no_side() -> None:
    medial, lateral = np.array([2.0, 0, 0]), np.array([0.0, 0, 0])
    assert side_of({"medial_meniscus": medial, "lateral_meniscus": lateral}) == "unknown"
    assert side_of({"femur": medial}) == "unknown"


def test_centre_in_space() -> None:
    mask = np.zeros((3, 4, 5), bool)
    mask[2, 3, 1] = True
    geometry = grid((3, 4, 5), (1.0, 2.0, 4.0), CANONICAL)
    np.testing.assert_allclose(centre_mm(mask, geometry), (4.0, 6.0, 2.0))
    assert centre_mm(np.zeros((2, 2, 2), bool), geometry) is None


@pytest.mark.parametrize("axes", [("SI", "AP", "IS"), ("SI", "AP"), ("SI", "AP", "XX")])
def test_axes_must_span_space(axes: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="axes"):
        grid((2, 2, 2), (1.0, 1.0, 1.0), axes)


@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True), (False, True, True)])
def test_the_turn_of_a_mask_is_found_by_contrast(flips: tuple[bool, bool, bool]) -> None:
    knee = block_knee()
    labels, image = labels_of(knee, BONE_VALUES), grey_image(knee)
    # a mask whose axes were permuted, then flipped: laying it on the image undoes both
    mask = np.flip(labels, tuple(k for k in range(3) if flips[k])).transpose(2, 0, 1)
    turns = ranked_turns(mask, image, (1, 3), (2, 4))
    assert (turns[0].axes, turns[0].flips) == ((1, 2, 0), flips)
    best = only_turn(turns, "here")
    np.testing.assert_array_equal(turned(mask, best.axes, best.flips), labels)


def test_a_mask_of_another_image_is_refused() -> None:
    labels = labels_of(block_knee(), BONE_VALUES)
    noise = np.random.default_rng(0).normal(100, 5, labels.shape)
    with pytest.raises(DatasetError, match="clearly darker"):
        only_turn(ranked_turns(labels, noise, (1, 3), (2, 4)), "here")
    with pytest.raises(DatasetError, match="shape does not fit"):
        only_turn(ranked_turns(labels, noise[1:], (1, 3), (2, 4)), "here")
    assert contrast(labels, noise, (7,), (2,)) == -np.inf


def test_stray_pieces_go() -> None:
    labels = labels_of(block_knee(), BONE_VALUES)
    stray = labels.copy()
    stray[0, 0, 0] = 4
    cleaned, removed = without_stray(stray)
    np.testing.assert_array_equal(cleaned, labels)
    assert removed == 1
