"""Finding how a mask without geometry lies on its image: by where its bone is dark, its cartilage bright."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

STEP = 2
"""Every second voxel along each axis is looked at."""


@dataclass(frozen=True)
class Turn:
    """A way to lay a mask on an image.

    Attributes:
        axes: image axis k is mask axis axes[k].
        flips: whether it runs backwards.
        contrast: see `contrast`.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    contrast: float


def ranked_turns(
    mask: np.ndarray, image_zyx: np.ndarray, bones: tuple[int, ...], cartilages: tuple[int, ...]
) -> list[Turn]:
    """Returns all ways that fit the image's shape, the one of most contrast first; none if no shape fits.

    Args:
        mask: labels, axes in any order and direction.
        image_zyx: grey values.
        bones: values of bone.
        cartilages: values of cartilage.
    """
    fine = image_zyx[::STEP, ::STEP, ::STEP]
    turns = []
    for axes, flips in _fitting(mask.shape, image_zyx.shape):
        # flipped before every second voxel is taken: the same places in both
        part = turned(mask, axes, flips)[::STEP, ::STEP, ::STEP]
        turns.append(Turn(axes, flips, contrast(part, fine, bones, cartilages)))
    return sorted(turns, key=lambda turn: -turn.contrast)


def turned(mask: np.ndarray, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> np.ndarray:
    """Returns the mask on the image's axes; a view."""
    view = mask.transpose(axes)
    return view[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]


def contrast(
    labels: np.ndarray, image: np.ndarray, bones: tuple[int, ...], cartilages: tuple[int, ...]
) -> float:
    """Returns how much brighter cartilage is than bone, in their standard deviations.

    Minus infinity where one of them is nowhere.
    """
    bone, cartilage = (image[np.isin(labels, values)].astype(np.float64) for values in (bones, cartilages))
    if not bone.size or not cartilage.size:
        return -np.inf
    spread = np.sqrt((bone.var() + cartilage.var()) / 2)
    return float((cartilage.mean() - bone.mean()) / max(spread, 1e-6))


def _fitting(
    shape: tuple[int, ...], wanted: tuple[int, ...]
) -> Iterator[tuple[tuple[int, int, int], tuple[bool, bool, bool]]]:
    for a, b, c in permutations(range(3)):
        if (shape[a], shape[b], shape[c]) == wanted:
            for x, y, z in product((False, True), repeat=3):
                yield (a, b, c), (x, y, z)
