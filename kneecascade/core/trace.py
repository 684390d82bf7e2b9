"""The way back: what `prepare` did to a case, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kneecascade.core.geometry import Box, Float3, Geometry, Int3


@dataclass(frozen=True)
class Trace:
    """How the grids of one case belong together.

    Attributes:
        source: the grid of the file.
        axes_zyx: canonical axis k is the file's array axis axes_zyx[k].
        flips_zyx: whether canonical axis k runs against the file's; where the image was mirrored to the
            other side, the last one says the opposite.
        native: the canonical grid, file voxels reordered and flipped, nothing resampled.
        coarse_shape_zyx: the whole image on the coarse grid.
        fine_shape_zyx: the whole image on the fine grid.
        mirrored: whether left and right are exchanged on the canonical grid.
    """

    source: Geometry
    axes_zyx: Int3
    flips_zyx: tuple[bool, bool, bool]
    native: Geometry
    coarse_shape_zyx: Int3
    fine_shape_zyx: Int3
    mirrored: bool = False

    @property
    def coarse_spacing_mm(self) -> Float3:
        """Edge lengths (z, y, x) of this image's coarse voxels, near the plan's."""
        return self._spacing_mm(self.coarse_shape_zyx)

    @property
    def fine_spacing_mm(self) -> Float3:
        """Edge lengths (z, y, x) of this image's fine voxels, near the plan's."""
        return self._spacing_mm(self.fine_shape_zyx)

    def _spacing_mm(self, shape_zyx: Int3) -> Float3:
        z, y, x = (extent / n for extent, n in zip(self.native.extent_mm, shape_zyx, strict=True))
        return (z, y, x)


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case ready for the networks.

    Attributes:
        name: case identifier.
        native: float32 (C, Z, Y, X), normalised, canonical orientation, native spacing; or channels that
            give parts of it when they are sliced.
        coarse: float32 (C, Z, Y, X), the whole image on the coarse grid.
        trace: the way back.
    """

    name: str
    native: np.ndarray | Sequence[Any]
    coarse: np.ndarray
    trace: Trace


@dataclass(frozen=True)
class Region:
    """Where the fine stage looks.

    Attributes:
        box: in voxels of the whole fine grid.
        fraction: region volume over image volume.
        flags: reasons for doubt, one line each; empty where everything is as in training.
        whole: whether the whole image is used because no region could be trusted.
        widened: factor on the plan's margin, above 1 where something seemed lost.
        at_border: sides of the image that the coarse stage's targets reach, as no training case's did.
    """

    box: Box
    fraction: float
    flags: tuple[str, ...] = ()
    whole: bool = False
    widened: float = 1.0
    at_border: tuple[str, ...] = ()
