"""Slices of a knee as small pictures to scroll through: grey values below, contours above."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from kneecascade.core.geometry import Float3

PLANES = ("axial", "coronal", "sagittal")
FRAMES = 40
PIXELS = 360
"""Of a picture's longer edge."""
RIM_MM = 5.0
"""Shown on both sides of the labels."""
JPEG_QUALITY = 68
Colour = tuple[int, int, int]


def planes(
    image_zyx: np.ndarray,
    classes_zyx: np.ndarray,
    spacing_mm: Float3,
    colours: Mapping[int, Colour],
    frames: int = FRAMES,
) -> list[dict[str, Any]]:
    """Returns three stacks of pictures, sagittal first, ready for JSON.

    Head is up, anterior is left in sagittal slices, the patient's right is left in the other two.

    Args:
        image_zyx: grey values on the canonical grid (Z, Y, X).
        classes_zyx: class indices there, 0 background; without any label the whole image is shown.
        spacing_mm: (z, y, x).
        colours: of each class index.
        frames: at most so many slices a plane, evenly spread over the labels and a rim.

    Returns:
        A dict a plane: name, width and height in pixels, frames with position_mm from the first
        slice of the image, image (JPEG) and contours (PNG), both as data URLs.
    """
    low, high = np.percentile(image_zyx[::2, ::2, ::2], (1, 99.5))
    grey = np.clip((image_zyx - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    return [_plane(axis, grey, classes_zyx, spacing_mm, colours, frames) for axis in (2, 1, 0)]


def shown_slices(classes_zyx: np.ndarray, axis: int, spacing_mm: float, frames: int = FRAMES) -> list[int]:
    """Returns the indices of the slices shown along an axis."""
    others = tuple(k for k in range(3) if k != axis)
    there = np.flatnonzero(classes_zyx.any(axis=others))
    last = classes_zyx.shape[axis] - 1
    rim = round(RIM_MM / spacing_mm)
    first = max(0, int(there[0]) - rim) if there.size else 0
    last = min(last, int(there[-1]) + rim) if there.size else last
    count = min(frames, last - first + 1)
    return [int(k) for k in np.unique(np.rint(np.linspace(first, last, count)))]


def outlines(classes: np.ndarray) -> np.ndarray:
    """Returns the class of every pixel at the inner border of its class, 0 elsewhere.

    Args:
        classes: (rows, columns).
    """
    padded = np.pad(classes, 1)
    centre = padded[1:-1, 1:-1]
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    border = np.logical_or.reduce([side != centre for side in sides])
    return np.where(border, centre, 0)


def data_url(data: bytes, kind: str) -> str:
    """Returns bytes as a URL of their own, such as "data:image/png;base64,...".

    Args:
        data: of the file.
        kind: MIME type.
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _plane(
    axis: int,
    grey: np.ndarray,
    classes: np.ndarray,
    spacing_mm: Float3,
    colours: Mapping[int, Colour],
    frames: int,
) -> dict[str, Any]:
    vertical, horizontal = (k for k in range(3) if k != axis)
    height_mm, width_mm = (
        grey.shape[vertical] * spacing_mm[vertical],
        grey.shape[horizontal] * spacing_mm[horizontal],
    )
    scale = PIXELS / max(height_mm, width_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    palette = _palette(colours)
    shown = []
    for index in shown_slices(classes, axis, spacing_mm[axis], frames):
        picture, labels = (np.take(array, index, axis=axis) for array in (grey, classes))
        if vertical == 0:  # canonical z grows towards the head, rows of a picture downwards
            picture, labels = picture[::-1], labels[::-1]
        shown.append(
            {
                "position_mm": round((index + 0.5) * spacing_mm[axis], 1),
                "image": _jpeg(picture, size),
                "contours": _png(labels, size, palette),
            }
        )
    return {"name": PLANES[axis], "width": size[0], "height": size[1], "frames": shown}


def _jpeg(picture: np.ndarray, size: tuple[int, int]) -> str:
    buffer = io.BytesIO()
    small = Image.fromarray(np.ascontiguousarray(picture)).resize(
        size, Image.Resampling.BICUBIC, reducing_gap=2
    )
    small.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return data_url(buffer.getvalue(), "image/jpeg")


def _png(labels: np.ndarray, size: tuple[int, int], palette: Sequence[int]) -> str:
    large = Image.fromarray(np.ascontiguousarray(labels.astype(np.uint8))).resize(
        size, Image.Resampling.NEAREST
    )
    lines = Image.fromarray(outlines(np.asarray(large)).astype(np.uint8))
    lines.putpalette(list(palette))
    buffer = io.BytesIO()
    lines.save(buffer, "PNG", transparency=0, optimize=True)
    return data_url(buffer.getvalue(), "image/png")


def _palette(colours: Mapping[int, Colour]) -> list[int]:
    table = [0] * (3 * 256)
    for index, colour in colours.items():
        table[3 * index : 3 * index + 3] = colour
    return table
