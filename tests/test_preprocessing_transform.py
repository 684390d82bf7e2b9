"""Tests of preprocessing.transform, most of all: the way there and back."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from plans import blob_labels, oblique_direction, tiny_geometry, tiny_plan

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.filters import MedianFilter
from kneecascade.core.geometry import Box, Geometry
from kneecascade.core.trace import Region
from kneecascade.errors import ImageError
from kneecascade.imaging.denoise import denoise
from kneecascade.preprocessing.transform import (
    fine_image,
    native_box,
    prepare,
    prepare_labels,
    restore,
    restore_coarse,
)


def one_hot(labels, n_classes=3):
    return np.stack([labels == k for k in range(n_classes)]).astype(np.float32)


def dice(a, b, value):
    return 2 * ((a == value) & (b == value)).sum() / ((a == value).sum() + (b == value).sum())


def make_volume(geometry, channels=1):
    array = np.random.default_rng(0).normal(size=(channels, *geometry.shape_zyx)).astype(np.float32)
    return Volume(array, geometry)


def there(labels, geometry, plan):
    prepared = prepare(make_volume(geometry), plan, "a")
    coarse, fine = prepare_labels(LabelVolume(labels, geometry), prepared.trace, plan)
    return prepared, coarse, fine


def whole_region(prepared):
    return Region(Box.whole(prepared.trace.fine_shape_zyx), 1.0)


def orientations():
    tilt = np.array(oblique_direction((7.0, -9.0, 11.0))).reshape(3, 3)
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        yield tuple((tilt @ (np.eye(3)[:, list(order)] * np.array(signs))).ravel())


def test_equal_spacing_is_exact_in_all_48_orientations():
    plan = tiny_plan(coarse_spacing=(1.0, 1.0, 1.0))
    rng = np.random.default_rng(1)
    for direction in orientations():
        geometry = Geometry((4, 5, 6), (1.0, 1.0, 1.0), (1.0, 2.0, 3.0), direction)
        labels = rng.integers(0, 3, (4, 5, 6)).astype(np.int16)
        prepared, coarse, fine = there(labels, geometry, plan)
        assert coarse.shape == fine.shape == prepared.trace.native.shape_zyx
        region = Region(Box((1, 1, 1), (4, 4, 4)), 0.2)
        for back in (
            restore(one_hot(coarse), one_hot(fine), whole_region(prepared), prepared.trace, plan),
            restore_coarse(one_hot(coarse), prepared.trace, plan),
        ):
            assert np.array_equal(back.array, labels)
            assert back.geometry == geometry
        part = restore(
            one_hot(coarse), one_hot(fine[region.box.slices]), region, prepared.trace, tiny_plan(targets=())
        )
        assert np.array_equal(part.array, labels)


@pytest.mark.parametrize(
    ("spacing", "fine_spacing", "degrees"),
    [
        ((1.0, 1.0, 1.0), (0.8, 0.8, 0.8), (0.0, 0.0, 0.0)),
        ((2.0, 0.7, 0.7), (1.0, 0.7, 0.8), (20.0, -15.0, 10.0)),
        ((0.6, 0.6, 1.5), (0.8, 0.6, 1.0), (95.0, 10.0, 170.0)),
        ((0.9, 1.7, 0.6), (0.7, 1.0, 0.7), (0.0, 90.0, -90.0)),
    ],
)
def test_round_trip_of_anisotropic_oblique_turned_grids(spacing, fine_spacing, degrees):
    shape = tuple(round(44 / s) for s in spacing)
    geometry = tiny_geometry(shape, spacing, degrees)
    labels = blob_labels(shape, spacing)
    plan = tiny_plan(coarse_spacing=(1.6, 1.6, 1.6), fine_spacing=fine_spacing)
    prepared, coarse, fine = there(labels, geometry, plan)
    back = restore(one_hot(coarse), one_hot(fine), whole_region(prepared), prepared.trace, plan)
    alone = restore_coarse(one_hot(coarse), prepared.trace, plan)
    assert back.array.shape == labels.shape
    for value in (1, 2):
        assert dice(back.array, labels, value) > 0.95
        assert dice(alone.array, labels, value) > 0.85


def test_image_and_labels_lie_on_the_same_place():
    shape, spacing = (30, 40, 24), (1.5, 1.0, 2.0)
    geometry = tiny_geometry(shape, spacing, (170.0, 95.0, 12.0))
    labels = blob_labels(shape, spacing)
    plan = tiny_plan(coarse_spacing=(2.5, 2.0, 2.2), fine_spacing=(1.1, 1.2, 1.0))
    prepared = prepare(Volume((labels > 0)[None].astype(np.float32), geometry), plan, "a")
    coarse, fine = prepare_labels(LabelVolume(labels, geometry), prepared.trace, plan)
    for image, resampled in ((prepared.coarse, coarse), (fine_image(prepared), fine)):
        assert image.shape[1:] == resampled.shape
        middle = (image[0].max() + image[0].min()) / 2
        assert dice(image[0] > middle, resampled > 0, True) > 0.97


def test_inside_the_region_fine_decides_outside_coarse_without_targets():
    plan = tiny_plan(labels=("background", "bone", "cartilage"), values=(0, 4, 300))
    geometry = tiny_geometry((8, 8, 8))
    prepared = prepare(make_volume(geometry), plan, "a")
    coarse = np.zeros((3, 4, 4, 4), dtype=np.float32)
    coarse[2], coarse[1], coarse[0] = 0.6, 0.3, 0.1  # cartilage everywhere; bone is second
    fine = np.zeros((3, 4, 3, 5), dtype=np.float32)
    fine[2] = 1
    box = Box((2, 3, 1), (6, 6, 6))
    back = restore(coarse, fine, Region(box, 0.1), prepared.trace, plan).array
    assert (back[box.slices] == 300).all()
    outside = np.ones((8, 8, 8), dtype=bool)
    outside[box.slices] = False
    assert (back[outside] == 4).all()
    assert (restore_coarse(coarse, prepared.trace, plan).array == 300).all()
    assert (restore(coarse, None, None, prepared.trace, plan).array == 300).all()


def test_where_every_label_is_a_target_outside_is_background():
    plan = tiny_plan(targets=("bone", "cartilage"))
    prepared = prepare(make_volume(tiny_geometry((8, 8, 8))), plan, "a")
    coarse = one_hot(np.ones((4, 4, 4), dtype=int))
    fine = one_hot(np.full((2, 2, 2), 2))
    back = restore(coarse, fine, Region(Box((0, 0, 0), (2, 2, 2)), 0.0), prepared.trace, plan).array
    assert (back == 2).sum() == 8
    assert (back == 1).sum() == 0


@pytest.mark.parametrize(("fine_step", "coarse_step"), [(0.7, 1.5), (1.0, 2.0), (1.3, 3.1)])
def test_restored_labels_equal_the_plain_way(fine_step, coarse_step):
    """Slabs, reaches and running maximum against all classes interpolated at once."""
    from kneecascade.imaging.weights import linear_weights

    plan = tiny_plan(coarse_spacing=(coarse_step,) * 3, fine_spacing=(fine_step,) * 3)
    prepared = prepare(make_volume(tiny_geometry((18, 14, 16))), plan, "a")
    rng = np.random.default_rng(2)
    trace = prepared.trace
    soft = rng.dirichlet((3, 1, 1), trace.coarse_shape_zyx).astype(np.float32)
    soft = np.moveaxis(soft, -1, 0)
    pairs = zip(trace.coarse_shape_zyx, (18, 14, 16), strict=True)
    weights = [linear_weights(a, b) for a, b in pairs]
    expected = np.einsum("kzyx,az,by,cx->kabc", soft, *weights).argmax(axis=0)
    assert np.mean(restore_coarse(soft, trace, plan).array != expected) < 1e-3


@pytest.mark.parametrize("fine_step", [0.5, 1.0, 2.0])
def test_an_image_prepared_in_parts_is_the_same(fine_step):
    plan = tiny_plan(fine_spacing=(fine_step,) * 3)
    volume = make_volume(tiny_geometry((12, 14, 16)))
    before = volume.array.copy()
    whole, parts = (prepare(volume, plan, "a", in_parts=choice) for choice in (False, True))
    assert isinstance(whole.native, np.ndarray)
    assert not isinstance(parts.native, np.ndarray)
    np.testing.assert_array_equal(parts.coarse, whole.coarse)
    for box in (None, Box((1, 2, 3), (5, 6, 7))):
        expected, found = fine_image(whole, box), fine_image(parts, box)
        np.testing.assert_array_equal(found, expected)
        found += 1  # nobody else's memory
    np.testing.assert_array_equal(volume.array, before)


def test_native_box_holds_the_voxels_whose_centres_lie_inside():
    plan = tiny_plan(fine_spacing=(0.7, 1.6, 1.0))
    trace = prepare(make_volume(tiny_geometry((9, 11, 7))), plan, "a").trace
    rng = np.random.default_rng(3)
    for _ in range(30):
        start = [int(rng.integers(0, n)) for n in trace.fine_shape_zyx]
        stop = [int(rng.integers(a + 1, n + 1)) for a, n in zip(start, trace.fine_shape_zyx, strict=True)]
        found = native_box(Box(tuple(start), tuple(stop)), trace)
        for k, (n_fine, n) in enumerate(zip(trace.fine_shape_zyx, (9, 11, 7), strict=True)):
            centres = (np.arange(n) + 0.5) * n_fine / n
            inside = np.flatnonzero((centres >= start[k]) & (centres < stop[k]))
            assert list(range(n))[found.slices[k]] == inside.tolist()
    assert native_box(Box.whole(trace.fine_shape_zyx), trace) == Box.whole((9, 11, 7))


def test_a_box_of_the_fine_image_equals_that_part_of_the_whole():
    plan = tiny_plan(fine_spacing=(0.7, 1.6, 0.9), channels=("a", "b"))
    prepared = prepare(make_volume(tiny_geometry((9, 11, 7)), 2), plan, "a")
    box = Box((2, 1, 1), (8, 5, 6))
    whole = fine_image(prepared)
    assert whole.shape == (2, *prepared.trace.fine_shape_zyx)
    assert fine_image(prepared, box) == pytest.approx(whole[(slice(None), *box.slices)], abs=1e-5)


def test_file_values_become_class_indices():
    plan = tiny_plan(values=(0, 7, 3), coarse_spacing=(1.0, 1.0, 1.0))
    geometry = tiny_geometry((2, 2, 2))
    labels = np.array([0, 7, 3, 3, 0, 7, 7, 0], dtype=np.int16).reshape(2, 2, 2)
    _, coarse, fine = there(labels, geometry, plan)
    assert np.array_equal(fine, np.array([0, 1, 2, 2, 0, 1, 1, 0]).reshape(2, 2, 2))
    assert np.array_equal(coarse, fine)


def test_filters_come_before_normalisation_on_the_native_grid():
    volume = make_volume(tiny_geometry((9, 11, 7)), 2)
    plan = tiny_plan(channels=("a", "b"))
    filtered = replace(plan, denoise=(MedianFilter(),))
    clean = Volume(denoise(volume.array, (1.0, 1.0, 1.0), filtered.denoise), volume.geometry)
    assert np.array_equal(prepare(volume, filtered, "a").native, prepare(clean, plan, "a").native)
    assert not np.array_equal(prepare(volume, plan, "a").native, prepare(clean, plan, "a").native)


def test_the_other_side_is_mirrored_there_and_back():
    """A left knee's labels come back exactly; the networks see it as the right knee it mirrors."""
    plan = replace(tiny_plan(coarse_spacing=(1.0, 1.0, 1.0)), canonical_side="right")
    geometry = tiny_geometry((6, 7, 8), degrees_xyz=(10.0, 80.0, 5.0))
    labels = np.random.default_rng(4).integers(0, 3, (6, 7, 8)).astype(np.int16)
    volume = make_volume(geometry)
    seen = {}
    for side in ("left", "right", "unknown"):
        prepared = prepare(volume, plan, "a", side)
        coarse, fine = prepare_labels(LabelVolume(labels, geometry), prepared.trace, plan)
        back = restore(one_hot(coarse), one_hot(fine), whole_region(prepared), prepared.trace, plan)
        assert np.array_equal(back.array, labels)
        assert np.array_equal(restore_coarse(one_hot(coarse), prepared.trace, plan).array, labels)
        seen[side] = (prepared, fine)
    left, right = seen["left"], seen["right"]
    assert (left[0].trace.mirrored, right[0].trace.mirrored) == (True, False)
    assert np.allclose(left[0].native, right[0].native[..., ::-1], atol=1e-6)
    assert np.array_equal(left[1], right[1][..., ::-1])
    assert seen["unknown"][0].trace == right[0].trace
    for name in ("none", "left"):
        assert not prepare(volume, replace(plan, canonical_side=name), "a", "left").trace.mirrored


def test_what_does_not_fit_is_refused():
    plan, geometry = tiny_plan(), tiny_geometry((4, 4, 4))
    with pytest.raises(ImageError, match="knee: 2 channels, the plan wants 1"):
        prepare(make_volume(geometry, 2), plan, "knee")
    trace = prepare(make_volume(geometry), plan, "a").trace
    labels = np.zeros((4, 4, 4), dtype=np.int16)
    other = tiny_geometry((4, 4, 4), (1.0, 1.0, 1.2))
    with pytest.raises(ImageError, match="knee: spacing"):
        prepare_labels(LabelVolume(labels, other), trace, plan, "knee")
    for value in (9, -1):
        labels[0, 0, 0] = value
        with pytest.raises(ImageError, match=f"knee: label value {value} is not among"):
            prepare_labels(LabelVolume(labels, geometry), trace, plan, "knee")


def test_a_single_slice_survives():
    plan = tiny_plan(coarse_spacing=(3.0, 2.0, 2.0))
    labels = np.zeros((1, 12, 12), dtype=np.int16)
    labels[0, 3:9, 3:9] = 1
    prepared, coarse, fine = there(labels, tiny_geometry((1, 12, 12)), plan)
    back = restore(one_hot(coarse), one_hot(fine), whole_region(prepared), prepared.trace, plan)
    assert np.array_equal(back.array, labels)
