"""Colours of labels by tissue, so that a knee looks the same everywhere."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

Rgb = tuple[int, int, int]

BLACK: Rgb = (0, 0, 0)
TISSUES: dict[tuple[str, str], Rgb] = {
    ("fem", "bone"): (77, 166, 255),
    ("fem", "cartilage"): (255, 77, 77),
    ("tib", "bone"): (95, 211, 95),
    ("tib", "cartilage"): (255, 176, 0),
    ("pat", "bone"): (199, 125, 255),
    ("pat", "cartilage"): (0, 229, 212),
    ("", "menisc"): (255, 125, 195),
    ("", "bone"): (77, 166, 255),
    ("", "cartilage"): (255, 77, 77),
}
"""By parts of a name; the first that fits."""
BONES = ("fem", "tib", "pat")
OTHERS: tuple[Rgb, ...] = (
    *dict.fromkeys(TISSUES.values()),
    (232, 227, 55),
    (160, 120, 76),
)
SECOND_SIDE = ("lateral", "left")
"""Labels of this side are a lighter shade of their partner's colour."""
LIGHTER = 0.45
GOLDEN = 0.618


def default_colors(names: Sequence[str]) -> tuple[Rgb, ...]:
    """Returns a colour for each label, no two alike.

    Args:
        names: label names; "background" is black.

    Returns:
        (red, green, blue), 0 to 255, in the order of the names.
    """
    chosen: dict[str, Rgb] = {name: BLACK for name in names if name == "background"}
    for name in names:
        color = _tissue_color(name.lower())
        if name not in chosen and color and color not in chosen.values():
            chosen[name] = color
    for name in names:
        if name not in chosen:
            chosen[name] = _unused(set(chosen.values()))
    return tuple(chosen[name] for name in names)


def _tissue_color(name: str) -> Rgb | None:
    for (bone, tissue), color in TISSUES.items():
        named = tissue in name or (tissue == "bone" and "cartilage" not in name and bone in BONES)
        if bone in name and named:
            return _lighter(color) if any(side in name for side in SECOND_SIDE) else color
    return None


def _lighter(color: Rgb) -> Rgb:
    red, green, blue = (round(part + (255 - part) * LIGHTER) for part in color)
    return (red, green, blue)


def _unused(used: set[Rgb]) -> Rgb:
    for color in OTHERS:
        if color not in used:
            return color
    step = len(used)
    while True:
        red, green, blue = colorsys.hsv_to_rgb((step * GOLDEN) % 1, 0.6, 1.0)
        color = (round(255 * red), round(255 * green), round(255 * blue))
        if color not in used:
            return color
        step += 1
