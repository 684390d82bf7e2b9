"""Filters that take noise or shading out of an image: their kinds, their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MedianFilter:
    """The median of a box of voxels.

    Attributes:
        kind: always "median".
        radius_voxels: half the edge of the box; 1 takes 3x3x3 voxels.
    """

    kind: Literal["median"] = "median"
    radius_voxels: int = 1


@dataclass(frozen=True)
class CurvatureFilter:
    """Curvature anisotropic diffusion: smooths along edges, hardly across.

    Attributes:
        kind: always "curvature".
        iterations: steps of the diffusion.
        time_step: of each; up to .0625 is stable in 3D.
        conductance: the lower, the fewer gradients are smoothed away.
    """

    kind: Literal["curvature"] = "curvature"
    iterations: int = 5
    time_step: float = 0.0625
    conductance: float = 1.0


@dataclass(frozen=True)
class NlmFilter:
    """Non-local means: averages voxels whose surroundings look alike.

    Attributes:
        kind: always "nlm".
        patch_voxels: edge of the surroundings that are compared.
        distance_voxels: how far away alike places are looked for.
        strength: of the smoothing, in standard deviations of each image's own noise.
    """

    kind: Literal["nlm"] = "nlm"
    patch_voxels: int = 3
    distance_voxels: int = 2
    strength: float = 0.8


@dataclass(frozen=True)
class N4Filter:
    """N4 bias field correction: takes slow shading out, no noise.

    Attributes:
        kind: always "n4".
        spacing_mm: the field is fitted to voxels of about this size.
        iterations: the most of each of the fitting levels.
        levels: fitting levels, each with twice the control points.
    """

    kind: Literal["n4"] = "n4"
    spacing_mm: float = 3.0
    iterations: int = 50
    levels: int = 4


ImageFilter = MedianFilter | CurvatureFilter | NlmFilter | N4Filter
FILTERS: dict[str, ImageFilter] = {
    made.kind: made for made in (MedianFilter(), CurvatureFilter(), NlmFilter(), N4Filter())
}
"""What the words of --denoise stand for."""
