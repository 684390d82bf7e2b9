"""Which frames make a volume, and the line that says why others do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_files import random_stack, series_tags, slices
from pydicom.dataset import Dataset

from kneecascade.dicom.frame import Frame
from kneecascade.dicom.header import frames_of
from kneecascade.dicom.stack import Stack, make_stack


def build(change: Callable[[list[Dataset]], object] | None = None, **more: object) -> Stack:
    images = slices(random_stack(shape=(12, 4, 6), **more), series_tags())
    if change:
        change(images)
    frames: list[Frame] = []
    for k, image in enumerate(images):
        frames += frames_of(image, Path(f"f{k}"), f"f{k}")
    return make_stack(frames[::-1])


def move(image: Dataset, along: float = 0.0, aside: float = 0.0) -> None:
    # sagittal: the normal is -x, the row direction +y
    x, y, z = (float(v) for v in image.ImagePositionPatient)
    image.ImagePositionPatient = [f"{x - along:.5f}", f"{y + aside:.5f}", f"{z:.5f}"]


def test_a_good_stack_has_the_grid_of_its_positions() -> None:
    stack = build(angles=(7.0, -11.0))
    assert stack.refusal is None
    assert [frame.name for frame in stack.frames] == [f"f{k}" for k in range(12)]
    geometry = stack.geometry
    assert geometry is not None
    assert geometry.shape_zyx == (12, 4, 6)
    np.testing.assert_allclose(geometry.spacing_mm, (1.5, 0.5, 0.4), atol=1e-5)
    np.testing.assert_allclose(geometry.origin_mm_xyz, (10, -20, 30), atol=1e-5)
    matrix = np.array(geometry.direction_xyz).reshape(3, 3)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0


def test_a_missing_slice_is_named() -> None:
    refusal = build(lambda images: images.pop(5)).refusal
    assert refusal is not None
    assert refusal.why == (
        "missing slice: a slice is missing between slice 5 (f4) and slice 7 (f5)"
        " (step 3.00 mm, usual 1.50 mm)"
    )
    assert not refusal.expected


def test_several_missing_slices_are_counted() -> None:
    def drop(images: list[Dataset]) -> None:
        del images[5:7]

    refusal = build(drop).refusal
    assert refusal is not None
    assert "2 slices are missing between slice 5 (f4) and slice 8 (f5)" in refusal.why


def test_a_duplicate_is_named() -> None:
    refusal = build(lambda images: images.append(images[3])).refusal
    assert refusal is not None
    assert refusal.what == "duplicate slices"
    assert "slice 4 (f3)" in refusal.why
    assert "(f12)" in refusal.why
    assert "the same image twice" in refusal.why


def test_another_image_at_the_same_place_is_a_duplicate_too() -> None:
    refusal = build(lambda images: move(images[4], -1.5)).refusal
    assert refusal is not None
    assert "two images at one place" in refusal.why


@pytest.mark.parametrize(("offset", "spoilt"), [(0.02, False), (0.0749, False), (0.08, True), (-0.3, True)])
def test_steps_may_differ_by_5_percent(offset: float, spoilt: bool) -> None:
    refusal = build(lambda images: [move(image, offset) for image in images[6:]]).refusal
    assert (refusal is not None) == spoilt
    if refusal:
        assert refusal.why.startswith("uneven steps: between slice 6 (f5) and slice 7 (f6), step")


def test_thin_slices_may_differ_by_a_twentieth_of_a_millimetre() -> None:
    thin = (0.3, 0.3, 0.3)
    assert build(lambda images: move(images[11], 0.049), spacing_mm=thin).refusal is None
    assert build(lambda images: move(images[11], 0.052), spacing_mm=thin).refusal is not None


def test_a_turned_slice_is_named() -> None:
    def turn(images: list[Dataset]) -> None:
        images[2].ImageOrientationPatient = ["0.02", "0.9998", "0", "0", "0", "-1"]

    refusal = build(turn).refusal
    assert refusal is not None
    assert refusal.why == "mixed orientation: slice 3 (f2) is turned against the others"


def test_a_slice_that_lies_aside_is_named() -> None:
    refusal = build(lambda images: move(images[7], aside=0.4)).refusal
    assert refusal is not None
    assert refusal.why == "shifted slices: slice 8 (f7) lies 0.40 mm beside slice 1 (f0)"


def test_another_size_or_pixel_spacing_is_named() -> None:
    refusal = build(lambda images: images[2].update({"Rows": 8})).refusal
    assert refusal is not None
    assert "mixed size: slice 3 (f2) has 6x8 pixels" in refusal.why
    refusal = build(lambda images: setattr(images[2], "PixelSpacing", ["0.5", "0.5"])).refusal
    assert refusal is not None
    assert "mixed pixel spacing: slice 3 (f2)" in refusal.why


def test_localisers_are_told_and_expected() -> None:
    def three_planes(images: list[Dataset]) -> None:
        for image in images[4:8]:
            image.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        for image in images[8:]:
            image.ImageOrientationPatient = ["1", "0", "0", "0", "0", "-1"]

    def few(images: list[Dataset]) -> None:
        del images[5:]

    def says_so(images: list[Dataset]) -> None:
        images[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    for change, words in ((three_planes, "3 orientations"), (few, "5 slices"), (says_so, "ImageType")):
        refusal = build(change).refusal
        assert refusal is not None
        assert refusal.why.startswith("localiser: ")
        assert words in refusal.why
        assert "(f" in refusal.why
        assert refusal.expected


def test_what_has_no_place_or_is_no_grey_image_is_refused() -> None:
    refusal = build(lambda images: images[3].pop("ImagePositionPatient")).refusal
    assert refusal is not None
    assert refusal.why == "slice 4 (f3) does not tell its place in space"
    refusal = build(lambda images: setattr(images[3], "PhotometricInterpretation", "MONOCHROME1")).refusal
    assert refusal is not None
    assert "MONOCHROME1" in refusal.why
    refusal = build(lambda images: [setattr(image, "SamplesPerPixel", 3) for image in images]).refusal
    assert refusal is not None
    assert refusal.expected


def test_the_side_is_that_of_the_frames() -> None:
    assert build(lambda images: [setattr(image, "Laterality", "L") for image in images]).side == "left"

    def halves(images: list[Dataset]) -> None:
        for k, image in enumerate(images):
            image.ImageLaterality = "R" if k < 6 else "L"

    assert build(halves).side == "both"
    assert build().side == "unknown"
