"""What is measured of every training case, and of the data set as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from kneecascade.core.geometry import Float3, Int3


@dataclass(frozen=True)
class LabelFingerprint:
    """One label in one case, measured on the canonical grid (see `imaging.orientation`).

    Attributes:
        name: label name.
        volume_mm3: 0 where the label is absent; every other number is then 0 as well.
        box_start_mm: lower corner (z, y, x) of its bounding box, from the image's corner.
        extent_mm: edge lengths (z, y, x) of its bounding box.
        thickness_mm: diameter of the largest inscribed sphere.
        components: 26-connected components.
        touches_border: whether it reaches the edge of the image.
    """

    name: str
    volume_mm3: float
    box_start_mm: Float3
    extent_mm: Float3
    thickness_mm: float
    components: int
    touches_border: bool


@dataclass(frozen=True)
class ChannelFingerprint:
    """Intensity statistics of one channel of one case over all voxels.

    Attributes:
        mean: arithmetic mean.
        std: standard deviation.
        minimum: smallest value.
        maximum: largest value.
        percentile_00_5: half a percent of the voxels are darker.
        percentile_50: the median.
        percentile_99_5: half a percent of the voxels are brighter.
    """

    mean: float
    std: float
    minimum: float
    maximum: float
    percentile_00_5: float
    percentile_50: float
    percentile_99_5: float


@dataclass(frozen=True)
class CaseFingerprint:
    """One training case; shape and spacing on the canonical grid, in (z, y, x) order.

    Attributes:
        name: case identifier.
        files_hash: hash of the bytes of its image and label files.
        shape_zyx: voxels of the image.
        spacing_mm: voxel spacing of the image.
        channels: intensities, one entry a channel.
        labels: one entry a foreground label, in the order of the data set's labels.
    """

    name: str
    files_hash: str
    shape_zyx: Int3
    spacing_mm: Float3
    channels: tuple[ChannelFingerprint, ...]
    labels: tuple[LabelFingerprint, ...]


@dataclass(frozen=True)
class DatasetFingerprint:
    """All training cases together; medians and ranges are taken where they are used.

    Attributes:
        dataset_name: "Dataset001_Name".
        data_hash: hash of all training files, label names and channel names.
        cases: one entry a training case, sorted by name.
    """

    dataset_name: str
    data_hash: str
    cases: tuple[CaseFingerprint, ...]
