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
    "meniscus",
    "tendon",
    "fatty",
)
"""The order of `phantom.tissue`'s constants; a test holds them together."""
FAT, MARROW = TISSUES.index("fat"), TISSUES.index("marrow")

SEQUENCES: dict[str, tuple[float, ...]] = {
    "DESS": (0.0, 0.14, 0.42, 1.00, 0.45, 0.10, 0.80, 0.30, 0.07, 0.30, 0.48, 0.02, 0.10, 0.08, 0.30),
    "PD": (0.0, 0.90, 0.45, 0.80, 0.60, 0.12, 0.30, 0.40, 0.80, 0.60, 0.60, 0.03, 0.12, 0.10, 0.62),
    "PD-FS": (0.0, 0.15, 0.40, 1.00, 0.60, 0.10, 0.60, 0.30, 0.10, 0.60, 0.65, 0.02, 0.12, 0.08, 0.30),
    "T1": (0.0, 1.00, 0.45, 0.25, 0.35, 0.12, 0.30, 0.50, 0.90, 0.40, 0.50, 0.03, 0.14, 0.10, 0.65),
    "T2": (0.0, 0.60, 0.20, 1.00, 0.55, 0.06, 0.40, 0.30, 0.50, 0.60, 0.35, 0.02, 0.08, 0.05, 0.35),
    "T2-FS": (0.0, 0.12, 0.18, 1.00, 0.55, 0.06, 0.45, 0.28, 0.09, 0.60, 0.33, 0.02, 0.08, 0.05, 0.15),
    "GRE": (0.0, 0.50, 0.45, 0.90, 0.55, 0.20, 0.90, 0.35, 0.15, 0.40, 0.75, 0.02, 0.25, 0.18, 0.45),
    "SPGR": (0.0, 0.12, 0.50, 0.35, 0.45, 0.15, 0.70, 0.30, 0.08, 0.35, 0.85, 0.02, 0.22, 0.14, 0.35),
}
"""Rough grey values, the brightest near 1: ours, from how these sequences look, not measured."""

USUAL_SHARES = (0.28, 0.17, 0.25, 0.01, 0.02, 0.01, 0.01, 0.02, 0.18, 0.005, 0.012, 0.03, 0.003, 0.02, 0.03)
"""Rough share of each tissue in a scan of a knee; what a scan's mean and deviation are guessed from."""

KNOWN_SHARE = 0.6
"""Share of samples with a known sequence; the rest draws every tissue anew (Billot et al. 2023, SynthSeg)."""
SPREAD = 0.2
DARK_MARROW = 0.35
"""Marrow darker than this is that of fat suppression."""
ALIKE_SHARE = 0.35
"""Share of samples with dark marrow in which fat is nearly as dark, as near a coil or far from it. Without
fat suppression they are alike as it is."""
DARK_SHARE = 0.8
"""Share of invented contrasts in which cortical bone and air stay dark, as physics has it."""


def draw_contrast(draw: np.random.Generator, sequence: str | None = None) -> np.ndarray:
    """Returns a grey value for every tissue, float32 (15,), none negative.

    Args:
        draw: source of randomness.
        sequence: a name of SEQUENCES; None draws one, or invents a contrast.
    """
    if sequence is None and draw.random() < KNOWN_SHARE:
        sequence = str(draw.choice(sorted(SEQUENCES)))
    if sequence is not None:
        grey = np.array(SEQUENCES[sequence]) * np.exp(SPREAD * draw.standard_normal(len(TISSUES)))
        if draw.random() < ALIKE_SHARE and grey[MARROW] < DARK_MARROW:
            grey[FAT] = grey[MARROW] * np.exp(draw.uniform(0.0, 0.6))
        return grey.astype(np.float32)
    grey = draw.uniform(0.05, 1.0, len(TISSUES))
    if draw.random() < DARK_SHARE:
        grey[[0, 11]] = (0.0, draw.uniform(0.0, 0.08))
    return grey.astype(np.float32)


def guessed_scale(grey: np.ndarray, draw: np.random.Generator) -> tuple[float, float]:
    """Returns mean and standard deviation of a whole scan with these grey values, for a patch of it."""
    shares = np.array(USUAL_SHARES) * np.exp(0.5 * draw.standard_normal(len(TISSUES)))
    shares /= shares.sum()
    mean = float(shares @ grey)
    return mean, float(np.sqrt(shares @ (grey - mean) ** 2))
