"""What is measured of every training case, and of the data set as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from kneecascade.core.geometry import Float3, Int3


@dataclass(frozen=True)
class LabelFingerprint:
    """One label in one case, measured on the canonical grid (see `imaging.orientation`).

    Attributes:
        name: label name.
        volume_mm3: 0 where the label is absent.
        extent_mm: edge lengths (z, y, x) of its bounding box.
        thickness_mm: diameter of the largest inscribed sphere.
        components: 26-connected components.
        touches_border: whether it reaches the edge of the image.
    """

    name: str
    volume_mm3: float
    extent_mm: Float3
    thickness_mm: float
    components: int
    touches_border: bool


@dataclass(frozen=True)
class ChannelFingerprint:
    """Intensity statistics of one channel of one case over all voxels."""

    mean: float
    std: float
    minimum: float
    maximum: float
    percentile_00_5: float
    percentile_50: float
    percentile_99_5: float


@dataclass(frozen=True)
class CaseFingerprint:
    """One training case; shape and spacing on the canonical grid, in (z, y, x) order."""

    name: str
    shape_zyx: Int3
    spacing_mm: Float3
    channels: tuple[ChannelFingerprint, ...]
    labels: tuple[LabelFingerprint, ...]
    foreground_extent_mm: Float3


@dataclass(frozen=True)
class DatasetFingerprint:
    """All training cases together; medians and ranges are taken where they are used."""

    dataset_name: str
    data_hash: str
    cases: tuple[CaseFingerprint, ...]
