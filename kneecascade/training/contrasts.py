"""Grey values of a knee's tissues under many MR contrasts, and under contrasts no scanner makes."""

from __future__ import annotations

import numpy as np

TISSUES = (
    "air",
    "fat",
    "muscle",
    "fluid",
    "synovium",
    "fibrous",
    "vessel",
    "skin",
    "marrow",
    "lesion",
    "cartilage",
    "cortex",
)
"""The order of `phantom.tissue`'s constants; a test holds them together."""

SEQUENCES: dict[str, tuple[float, ...]] = {
    "DESS": (0.0, 0.14, 0.42, 1.00, 0.45, 0.10, 0.80, 0.30, 0.07, 0.30, 0.48, 0.02),
    "PD": (0.0, 0.90, 0.45, 0.80, 0.60, 0.12, 0.30, 0.40, 0.80, 0.60, 0.60, 0.03),
    "PD-FS": (0.0, 0.15, 0.40, 1.00, 0.60, 0.10, 0.60, 0.30, 0.10, 0.60, 0.65, 0.02),
    "T1": (0.0, 1.00, 0.45, 0.25, 0.35, 0.12, 0.30, 0.50, 0.90, 0.40, 0.50, 0.03),
    "T2": (0.0, 0.60, 0.20, 1.00, 0.55, 0.06, 0.40, 0.30, 0.50, 0.60, 0.35, 0.02),
    "GRE": (0.0, 0.50, 0.45, 0.90, 0.55, 0.20, 0.90, 0.35, 0.15, 0.40, 0.75, 0.02),
}
"""Rough grey values, the brightest near 1: ours, from how these sequences look, not measured."""

KNOWN_SHARE = 0.6
"""Share of samples with a known sequence; the rest draws every tissue anew (Billot et al. 2023, SynthSeg)."""
SPREAD = 0.2
DARK_SHARE = 0.8
"""Share of invented contrasts in which cortical bone and air stay dark, as physics has it."""


def draw_contrast(draw: np.random.Generator, sequence: str | None = None) -> np.ndarray:
    """Returns a grey value for every tissue, float32 (12,), none negative.

    Args:
        draw: source of randomness.
        sequence: a name of SEQUENCES; None draws one, or invents a contrast.
    """
    if sequence is None and draw.random() < KNOWN_SHARE:
        sequence = str(draw.choice(sorted(SEQUENCES)))
    if sequence is not None:
        return (np.array(SEQUENCES[sequence]) * np.exp(SPREAD * draw.standard_normal(12))).astype(np.float32)
    grey = draw.uniform(0.05, 1.0, 12)
    if draw.random() < DARK_SHARE:
        grey[[0, 11]] = (0.0, draw.uniform(0.0, 0.08))
    return grey.astype(np.float32)
