"""A picture of one result beside its image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.colors import Rgb
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical
from kneecascade.imaging.picture import overlay_png
from kneecascade.preprocessing.transform import class_indices


def draw_result(
    path: Path,
    volume: Volume,
    labels: LabelVolume,
    plan: CascadePlan,
    title: str,
    reference: LabelVolume | None = None,
) -> None:
    """Draws contours of a result; see `draw_labels`."""
    draw_labels(path, volume, labels, plan.labels, title, reference, plan.label_colors)


def draw_labels(
    path: Path,
    volume: Volume,
    labels: LabelVolume,
    names: Labels,
    title: str,
    reference: LabelVolume | None = None,
    colors: Sequence[Rgb] | None = None,
) -> None:
    """Draws contours over the first channel.

    Args:
        path: the PNG.
        volume: the image as read.
        labels: the result, on its grid.
        names: of the labels.
        title: above the picture.
        reference: drawn in a second row.
        colors: one a label, background first; None for the defaults by name.
    """
    axes, flips = canonical_axes(volume.geometry)

    def turned(array: np.ndarray) -> np.ndarray:
        return to_canonical(array, axes, flips)

    def classes(found: LabelVolume) -> np.ndarray:
        return class_indices(turned(found.array), names)

    overlay_png(
        path,
        turned(volume.array[0]),
        classes(labels),
        canonical_geometry(volume.geometry).spacing_mm,
        names.names,
        title,
        None if reference is None else classes(reference),
        colors=colors,
    )
