"""A picture of labels over an image: contours on slices in three planes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from skimage import measure

from kneecascade.core.colors import Rgb, default_colors
from kneecascade.core.geometry import Float3
from kneecascade.files import written_whole

PLANES = ("axial", "coronal", "sagittal")
ROW_INCHES = 3.6
CHARACTERS_PER_INCH = 10.5
Slice = tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Layer:
    """One set of labels and how its contours are drawn."""

    labels: np.ndarray
    heading: str
    style: str


def overlay_png(
    path: Path,
    image_zyx: np.ndarray,
    labels_zyx: np.ndarray,
    spacing_mm: Float3,
    label_names: Sequence[str],
    title: str,
    reference: np.ndarray | None = None,
    slices: Sequence[Slice] | None = None,
    colors: Sequence[Rgb] | None = None,
) -> None:
    """Draws contours over grey slices and writes a PNG, first to a temporary name.

    Arrays lie on the canonical grid: head is up, anterior left in sagittal slices, the patient's right else.

    Args:
        path: where to write.
        image_zyx: grey values.
        labels_zyx: predicted class indices, drawn solid.
        spacing_mm: (z, y, x).
        label_names: a name a class, background first.
        title: above the picture.
        reference: the same of the reference, drawn dashed in a second row.
        slices: (axis, index) of each, axis 0 axial, 1 coronal, 2 sagittal; None for `choose_slices`.
        colors: one a class, background first; None for the defaults by name.
    """
    colors = colors or default_colors(label_names)
    layers = [_Layer(labels_zyx, "predicted", "solid")]
    layers += [] if reference is None else [_Layer(reference, "reference", "dashed")]
    chosen = slices or choose_slices(labels_zyx if labels_zyx.any() or reference is None else reference)
    figure, axes = _panels(len(layers), [_ratio(image_zyx.shape, spacing_mm, axis) for axis, _ in chosen])
    window = np.percentile(image_zyx[::2, ::2, ::2], (1, 99.5))
    for row, layer in zip(axes, layers, strict=True):
        for panel, (axis, index) in zip(row, chosen, strict=True):
            grey, labels = (np.take(array, index, axis=axis) for array in (image_zyx, layer.labels))
            _draw(panel, grey, labels, axis, spacing_mm, layer.style, window, colors)
            panel.set_title(f"{layer.heading}, {PLANES[axis]} {index}", color="white", fontsize=9)
    figure.suptitle(_wrapped(title, figure.get_figwidth()), color="white", fontsize=11)
    _legend(figure, layers, label_names, colors)
    _save(figure, path)


def _panels(rows: int, ratios: Sequence[float]) -> tuple[Any, Any]:
    """Makes an empty black figure; ratios are width over height of the panels in a row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (ROW_INCHES * sum(ratios) + 0.4, ROW_INCHES * rows + 1.1)
    figure = Figure(figsize=size, dpi=110, facecolor="black", layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, len(ratios), squeeze=False, width_ratios=ratios)


def choose_slices(labels_zyx: np.ndarray) -> list[Slice]:
    """Returns three sagittal, one coronal and one axial slice through the smallest labels.

    The middle of the image where there are no labels.
    """
    counts = np.bincount(labels_zyx.reshape(-1))[1:]
    shape = labels_zyx.shape
    if not counts.any():
        return [
            (2, shape[2] // 4),
            (2, shape[2] // 2),
            (2, 3 * shape[2] // 4),
            (1, shape[1] // 2),
            (0, shape[0] // 2),
        ]
    # Labels under a tenth of the largest are what one wants to look at; all where sizes are alike.
    small = np.flatnonzero((counts > 0) & (counts <= 0.1 * counts.max())) + 1
    shown = small if small.size else np.flatnonzero(counts) + 1
    masks = [labels_zyx == index for index in shown]
    union = np.logical_or.reduce(masks)
    across, along = np.flatnonzero(union.any(axis=(0, 1))), np.flatnonzero(union.any(axis=(0, 2)))
    sagittal = [(2, int(across[int(share * (across.size - 1))])) for share in (0.25, 0.5, 0.75)]
    return [*sagittal, (1, int(along[along.size // 2])), (0, _fullest(masks, 0))]


def _fullest(masks: Sequence[np.ndarray], axis: int) -> int:
    """Returns the slice that shows most of all labels together, small ones counting as much as large."""
    others = tuple(k for k in range(3) if k != axis)
    areas = [mask.sum(axis=others) for mask in masks]
    return int(np.argmax(sum(np.sqrt(area / area.max()) for area in areas)))


def _draw(
    panel: Any,
    grey: np.ndarray,
    labels: np.ndarray,
    axis: int,
    spacing_mm: Float3,
    style: str,
    window: np.ndarray,
    colors: Sequence[Rgb],
) -> None:
    """Draws one slice with its contours, in mm; Z grows upwards, Y (axial) downwards."""
    vertical, horizontal = [k for k in range(3) if k != axis]
    height, width = grey.shape[0] * spacing_mm[vertical], grey.shape[1] * spacing_mm[horizontal]
    up = vertical == 0
    panel.imshow(
        grey,
        cmap="gray",
        vmin=window[0],
        vmax=max(window[1], window[0] + 1e-6),
        origin="lower" if up else "upper",
        extent=(0, width, 0, height) if up else (0, width, height, 0),
        interpolation="bilinear",
    )
    for index in np.unique(labels[labels > 0]):
        for rows, columns in _outlines(labels == index):
            y, x = rows * spacing_mm[vertical], columns * spacing_mm[horizontal]
            panel.plot(x, y, color=_hex(colors[index]), linewidth=0.9, linestyle=style)
    panel.set_xticks([])
    panel.set_yticks([])


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Returns closed outlines, each (rows, columns) in voxels from the corner of the slice."""
    # a rim of background closes outlines that would end at the edge of the image
    found = measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    return [line.T - 0.5 for line in found]


def _legend(figure: Any, layers: Sequence[_Layer], label_names: Sequence[str], colors: Sequence[Rgb]) -> None:
    from matplotlib.lines import Line2D

    there = sorted({int(k) for layer in layers for k in np.unique(layer.labels) if k > 0})
    lines = [Line2D([], [], color=_hex(colors[k]), label=label_names[k]) for k in there]
    if len(layers) > 1:
        lines += [Line2D([], [], color="white", ls=layer.style, label=layer.heading) for layer in layers]
    if lines:
        figure.legend(
            handles=lines,
            loc="outside lower center",
            ncols=len(lines),
            labelcolor="white",
            frameon=False,
            fontsize=9,
        )


def _wrapped(title: str, inches: float) -> str:
    """Breaks a title into lines that fit the figure, three at most."""
    lines = textwrap.wrap(title, max(20, int(inches * CHARACTERS_PER_INCH)), max_lines=3, placeholder=" ...")
    return "\n".join(lines)


def _save(figure: Any, path: Path) -> None:
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", facecolor="black")


def _ratio(shape: Sequence[int], spacing_mm: Float3, axis: int) -> float:
    """Returns width over height, in mm, of a slice across an axis."""
    height, width = (shape[k] * spacing_mm[k] for k in range(3) if k != axis)
    return width / height


def _hex(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
