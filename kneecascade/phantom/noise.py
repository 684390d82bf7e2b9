"""Smooth random fields."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3, Int3
from kneecascade.imaging.weights import apply_weights, image_weights

NODES = 4  # fewest support points an axis: a cubic spline needs them


def smooth_field(
    draw: np.random.Generator, shape_zyx: Int3, spacing_mm: Float3, wavelength_mm: float
) -> np.ndarray:
    """Returns a field of mean near 0 and standard deviation 1 that varies over `wavelength_mm`.

    Args:
        draw: source of randomness.
        shape_zyx: of the result.
        spacing_mm: of the grid.
        wavelength_mm: distance between independent values, which a cubic spline joins.

    Returns:
        float32 of `shape_zyx`.
    """
    sizes = zip(shape_zyx, spacing_mm, strict=True)
    nodes = [min(n, max(NODES, round(n * mm / wavelength_mm) + 1)) for n, mm in sizes]
    values = draw.standard_normal(nodes).astype(np.float32)
    weights = [image_weights(few, many) for few, many in zip(nodes, shape_zyx, strict=True)]
    field = apply_weights(values, weights)
    return field / max(float(field.std()), 1e-6)
