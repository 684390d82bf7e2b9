"""One examination: where its files are, what was read from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from kneecascade.core.geometry import Geometry

Side = Literal["left", "right", "unknown"]


@dataclass(frozen=True)
class Case:
    """Files of one examination.

    Attributes:
        name: case identifier, without channel suffix and file ending.
        images: one file a channel, in the order of the channels.
        label: the reference segmentation, or None.
        side: of the body the knee belongs to.
    """

    name: str
    images: tuple[Path, ...]
    label: Path | None = None
    side: Side = "unknown"


@dataclass(frozen=True, eq=False)
class Volume:
    """An image in memory: float32 `array` of shape (C, Z, Y, X) on the grid `geometry`."""

    array: np.ndarray
    geometry: Geometry


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """Labels in memory: integer `array` of shape (Z, Y, X), file values, on the grid `geometry`."""

    array: np.ndarray
    geometry: Geometry
