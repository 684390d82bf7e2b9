"""Tests of imaging.picture."""

import matplotlib.image
import numpy as np
from plans import blob_labels

from kneecascade.imaging.picture import choose_slices, overlay_png

SHAPE, SPACING = (20, 30, 16), (2.0, 1.0, 1.5)
NAMES = ("background", "bone", "cartilage")


def draw(path, labels, reference=None, slices=None):
    image = np.random.default_rng(0).normal(size=labels.shape)
    overlay_png(path, image, labels, SPACING, NAMES, "case a", reference, slices)
    return matplotlib.image.imread(path)[..., :3]


def has_colour(picture, rgb):
    return (np.abs(picture - np.array(rgb) / 255).max(axis=-1) < 0.12).any()


def test_contours_in_the_labels_colours_and_no_file_left_behind(tmp_path):
    picture = draw(tmp_path / "sub" / "a.png", blob_labels(SHAPE, SPACING))
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["a.png"]
    assert has_colour(picture, (0x4D, 0xA6, 0xFF))
    assert has_colour(picture, (0xFF, 0x4D, 0x4D))


def test_chosen_colours(tmp_path):
    labels = blob_labels(SHAPE, SPACING)
    colors = ((0, 0, 0), (77, 166, 255), (10, 250, 10))
    overlay_png(tmp_path / "a.png", np.zeros(SHAPE), labels, SPACING, NAMES, "case a", colors=colors)
    picture = matplotlib.image.imread(tmp_path / "a.png")[..., :3]
    assert has_colour(picture, (10, 250, 10))
    assert not has_colour(picture, (0xFF, 0x4D, 0x4D))


def test_a_reference_adds_a_row(tmp_path):
    labels = blob_labels(SHAPE, SPACING)
    one = draw(tmp_path / "a.png", labels, slices=[(2, 8)])
    two = draw(tmp_path / "b.png", labels, reference=labels, slices=[(2, 8)])
    assert two.shape[0] > 1.5 * one.shape[0]


def test_a_long_title_is_wrapped_inside_the_picture(tmp_path):
    picture = draw(tmp_path / "a.png", np.zeros(SHAPE, dtype=np.uint8), slices=[(2, 8)])
    overlay_png(
        tmp_path / "b.png",
        np.zeros(SHAPE),
        np.zeros(SHAPE, np.uint8),
        SPACING,
        NAMES,
        "word " * 99,
        None,
        [(2, 8)],
    )
    long = matplotlib.image.imread(tmp_path / "b.png")[..., :3]
    assert long.shape == picture.shape
    assert not long[:, :3].any()
    assert not long[:, -3:].any()


def test_no_labels_at_all(tmp_path):
    picture = draw(tmp_path / "a.png", np.zeros(SHAPE, dtype=np.uint8))
    assert not has_colour(picture, (0xFF, 0x4D, 0x4D))


def test_head_is_up_and_anterior_is_left(tmp_path):
    labels = np.zeros(SHAPE, dtype=np.uint8)
    image = np.zeros(SHAPE)
    image[-6:, :9, :] = 1.0  # head, anterior
    overlay_png(tmp_path / "a.png", image, labels, SPACING, NAMES, "", slices=[(2, 8)])
    picture = matplotlib.image.imread(tmp_path / "a.png")[..., 0]
    rows, columns = np.nonzero(picture[60:-60] > 0.9)
    height, width = picture[60:-60].shape
    assert rows.mean() < height / 2
    assert columns.mean() < width / 2


def test_slices_go_through_the_smallest_labels():
    labels = np.zeros((20, 30, 16), dtype=np.uint8)
    labels[2:18, 2:28, 2:14] = 1
    labels[15:17, 20:24, 4:8] = 2
    sagittal, (coronal_axis, coronal), (axial_axis, axial) = (c := choose_slices(labels))[:3], c[3], c[4]
    assert all(axis == 2 and 4 <= index < 8 for axis, index in sagittal)
    assert (coronal_axis, axial_axis) == (1, 0)
    assert 20 <= coronal < 24
    assert 15 <= axial < 17


def test_slices_of_empty_labels_are_in_the_middle():
    assert choose_slices(np.zeros((20, 30, 16), dtype=np.uint8))[1] == (2, 8)
