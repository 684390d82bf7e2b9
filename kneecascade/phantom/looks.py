"""How bright each tissue is and how it varies, in the contrasts that knees are rendered with.

DESS was fixed by eye beside a real scan before any network was trained on it. The others are turbo spin
echo as it usually looks, rough values of our own, drawn apart from `training.contrasts`: what tests a
network should not be painted by what trained it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kneecascade.phantom import tissue as t

CONTRASTS = ("DESS", "PD", "PD-FS", "T1", "T2", "T2-FS")


@dataclass(frozen=True)
class Texture:
    """Grey value of a tissue and how much it varies, as shares of it, at three wavelengths."""

    grey: float
    wide: float = 0.0
    middle: float = 0.0
    fine: float = 0.0


ORDER = (t.FAT, t.MUSCLE, t.FLUID, t.SYNOVIUM, t.FIBROUS, t.VESSEL, t.SKIN, t.MARROW, t.LESION, t.CARTILAGE)
FATTY_SHARE = 0.5
"""Fatty muscle lies half-way between muscle and fat."""
RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "PD": (
        (0.85, 1.0),
        (0.33, 0.45),
        (0.62, 0.9),
        (0.45, 0.65),
        (0.08, 0.15),
        (0.05, 0.3),
        (0.4, 0.6),
        (0.7, 0.9),
        (0.5, 0.65),
        (0.48, 0.62),
    ),
    "PD-FS": (
        (0.07, 0.16),
        (0.28, 0.42),
        (0.85, 1.1),
        (0.45, 0.75),
        (0.06, 0.12),
        (0.1, 0.7),
        (0.28, 0.45),
        (0.06, 0.13),
        (0.45, 0.8),
        (0.44, 0.62),
    ),
    "T1": (
        (0.9, 1.0),
        (0.33, 0.45),
        (0.2, 0.32),
        (0.28, 0.42),
        (0.08, 0.14),
        (0.05, 0.25),
        (0.4, 0.6),
        (0.75, 0.95),
        (0.32, 0.5),
        (0.36, 0.5),
    ),
    "T2": (
        (0.5, 0.72),
        (0.12, 0.22),
        (0.9, 1.1),
        (0.35, 0.6),
        (0.04, 0.08),
        (0.05, 0.45),
        (0.25, 0.4),
        (0.4, 0.58),
        (0.4, 0.65),
        (0.22, 0.36),
    ),
    "T2-FS": (
        (0.06, 0.15),
        (0.12, 0.22),
        (0.9, 1.1),
        (0.4, 0.7),
        (0.04, 0.08),
        (0.05, 0.5),
        (0.22, 0.36),
        (0.06, 0.13),
        (0.45, 0.8),
        (0.22, 0.36),
    ),
}
"""Lowest and highest grey value of each tissue in ORDER."""
BRIGHT = 0.35
"""Marrow and fat brighter than this are smooth; dark ones are mostly what is left of their texture."""


def draw_looks(draw: np.random.Generator, contrast: str = "DESS") -> dict[int, Texture]:
    """Returns how each tissue looks in one scan; tissues left out are black.

    Args:
        draw: source of randomness; DESS takes the same draws whatever other contrasts there are.
        contrast: one of CONTRASTS.
    """
    looks = _dess(draw)
    if contrast == "DESS":
        return looks
    for tissue, (low, high) in zip(ORDER, RANGES[contrast], strict=True):
        looks[tissue] = replace(looks[tissue], grey=float(draw.uniform(low, high)))
    for tissue in (t.FAT, t.MARROW):
        if looks[tissue].grey > BRIGHT:
            looks[tissue] = replace(looks[tissue], wide=0.08, middle=0.06, fine=0.08)
    muscle, fat = looks[t.MUSCLE].grey, looks[t.FAT].grey
    looks[t.FATTY] = replace(looks[t.FATTY], grey=muscle + FATTY_SHARE * (fat - muscle))
    return looks


def _dess(draw: np.random.Generator) -> dict[int, Texture]:
    cartilage, fluid = draw.uniform(0.42, 0.55), draw.uniform(0.8, 1.2)
    return {
        t.FAT: Texture(draw.uniform(0.10, 0.18), middle=0.25, fine=0.35),
        t.MUSCLE: Texture(cartilage * draw.uniform(0.7, 1.02), wide=0.08, fine=0.06),
        t.FLUID: Texture(fluid, fine=0.05),
        t.SYNOVIUM: Texture(cartilage * draw.uniform(0.8, 1.15), fine=0.1),
        t.FIBROUS: Texture(draw.uniform(0.06, 0.14), middle=0.3),
        t.VESSEL: Texture(0.8 * fluid),
        t.SKIN: Texture(draw.uniform(0.25, 0.4)),
        t.MARROW: Texture(draw.uniform(0.04, 0.09), wide=0.25, fine=0.3),
        t.LESION: Texture(draw.uniform(0.2, 0.45), wide=0.2),
        t.CARTILAGE: Texture(cartilage, wide=0.13, middle=0.10, fine=0.05),
        t.CORTEX: Texture(0.02),
        t.MENISCUS: Texture(0.1, middle=0.3),
        t.TENDON: Texture(0.08, middle=0.3),
        t.FATTY: Texture(0.7 * cartilage, wide=0.1, fine=0.2),
    }
