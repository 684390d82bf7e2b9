"""Whether an image gets slowly brighter from one side to the other, seen inside labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.geometry import Float3

PER_MM = 100.0
LEAST_GREY = 0.02
"""Labels darker than this share of the image's range have no ratio to speak of."""
MOST = 3.0
"""Grey over the label's median is cut off here, against fluid, vessels and voxels on the border."""
LEAST_VOXELS = 100


def shading(
    classes: np.ndarray, grey: np.ndarray, spacing_mm: Float3, names: Sequence[str], range_: float
) -> tuple[float, float, float] | None:
    """Returns the relative change of grey over 100 mm along each axis (z, y, x) inside labels.

    Least squares: grey over the label's median, and places, both less their mean in the label, so that
    labels of different grey do not count as a slope.

    Args:
        classes: class indices (Z, Y, X).
        grey: the image (Z, Y, X).
        spacing_mm: (z, y, x).
        names: of the classes; the first is background.
        range_: of the image's grey.

    Returns:
        None where no label is bright and large enough.
    """
    thin = (slice(None, None, 2),) * 3
    classes, grey = classes[thin], grey[thin]
    steps = np.array(spacing_mm) * 2 / PER_MM
    normal, product = np.zeros((3, 3)), np.zeros(3)
    for index in range(1, len(names)):
        places = np.nonzero(classes == index)
        values = grey[places].astype(np.float64)
        if values.size < LEAST_VOXELS or np.median(values) <= LEAST_GREY * range_:
            continue
        ratio = np.clip(values / np.median(values), 0, MOST)
        where = np.stack(places, axis=1) * steps
        where -= where.mean(axis=0)
        normal += where.T @ where
        product += where.T @ (ratio - ratio.mean())
    if np.linalg.matrix_rank(normal) < 3:
        return None
    z, y, x = np.linalg.solve(normal, product)
    return float(z), float(y), float(x)
