"""Slices to scroll through."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from kneecascade.report.slices import outlines, planes, shown_slices


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_only_slices_around_the_labels_are_shown() -> None:
    classes = np.zeros((60, 4, 4), np.uint8)
    classes[30:40] = 1
    assert shown_slices(classes, 0, spacing_mm=1.0) == list(range(25, 45))
    few = shown_slices(classes, 0, spacing_mm=1.0, frames=3)
    assert few[0] == 25
    assert few[-1] == 44
    assert len(few) == 3


def test_without_labels_the_whole_image_is_shown() -> None:
    assert shown_slices(np.zeros((7, 3, 3), np.uint8), 0, 1.0) == list(range(7))


def test_outlines_are_the_inner_border() -> None:
    classes = np.zeros((7, 7), int)
    classes[1:6, 1:6] = 2
    expected = classes.copy()
    expected[2:5, 2:5] = 0
    assert np.array_equal(outlines(classes), expected)
    assert outlines(np.full((3, 3), 1)).tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]


def test_pictures_have_the_proportions_of_the_knee() -> None:
    image = np.random.default_rng(0).normal(size=(20, 40, 10)).astype(np.float32)
    classes = np.zeros(image.shape, np.uint8)
    classes[8:12, 18:22, 4:6] = 1
    sagittal, coronal, axial = planes(image, classes, (2.0, 1.0, 1.0), {1: (255, 0, 0)}, frames=5)
    assert [p["name"] for p in (sagittal, coronal, axial)] == ["sagittal", "coronal", "axial"]
    assert (sagittal["width"], sagittal["height"]) == (360, 360)
    assert (coronal["width"], coronal["height"]) == (90, 360)
    assert (axial["width"], axial["height"]) == (90, 360)
    assert len(axial["frames"]) == 5
    assert opened(axial["frames"][0]["image"]).size == (90, 360)


def test_head_is_up_and_the_label_where_it_belongs() -> None:
    image = np.zeros((10, 10, 3), np.float32)
    classes = np.zeros(image.shape, np.uint8)
    classes[8:10, 0:3] = 1  # near the head, in front
    image[classes == 1] = 1.0
    sagittal = planes(image, classes, (1.0, 1.0, 1.0), {1: (255, 0, 0)}, frames=1)[0]
    frame = sagittal["frames"][0]
    grey = np.asarray(opened(frame["image"]), float)
    assert grey[:60, :90].mean() > 200
    assert grey[200:].mean() < 10
    rgba = np.asarray(opened(frame["contours"]).convert("RGBA"))
    rows, columns = np.nonzero(rgba[..., 3])
    assert rows.max() < 72
    assert columns.max() < 108
    assert (rgba[rows[0], columns[0], :3] == (255, 0, 0)).all()
