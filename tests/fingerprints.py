"""Synthetic fingerprints that planning tests build on."""

from __future__ import annotations

from pathlib import Path

from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import (
    CaseFingerprint,
    ChannelFingerprint,
    DatasetFingerprint,
    LabelFingerprint,
)
from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.labels import Labels

GREY = ChannelFingerprint(100.0, 30.0, 0.0, 400.0, 5.0, 95.0, 300.0)
# per label: start and extent over the image's edges, volume over its box, thickness over its shortest edge
KNEE = {
    "femur": ((0.45, 0.2, 0.15), (0.55, 0.55, 0.7), 0.4, 0.6),
    "femoral_cartilage": ((0.35, 0.2, 0.15), (0.3, 0.55, 0.7), 0.05, 0.06),
    "tibia": ((0.0, 0.3, 0.15), (0.38, 0.45, 0.7), 0.5, 0.7),
    "tibial_cartilage": ((0.33, 0.3, 0.15), (0.08, 0.4, 0.7), 0.1, 0.25),
}


def label(name: str, image_mm: Float3, scale: float = 1.0) -> LabelFingerprint:
    """Returns a label of KNEE in an image of these edge lengths."""
    start, extent, filled, thick = KNEE[name]
    box = tuple(scale * part * edge for part, edge in zip(extent, image_mm, strict=True))
    corner = tuple(part * edge for part, edge in zip(start, image_mm, strict=True))
    volume = filled * box[0] * box[1] * box[2]
    return LabelFingerprint(name, volume, corner, box, thick * min(box), 1, False)


def absent(name: str) -> LabelFingerprint:
    """Returns a label that is not there."""
    return LabelFingerprint(name, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0, False)


def knee_case(
    name: str, shape: Int3, spacing: Float3, channels: int = 1, scale: float = 1.0
) -> CaseFingerprint:
    """Returns a knee that fills the image as a knee does."""
    image = tuple(n * mm for n, mm in zip(shape, spacing, strict=True))
    return CaseFingerprint(
        name, "0" * 16, shape, spacing, (GREY,) * channels, tuple(label(n, image, scale) for n in KNEE)
    )


def knees(shape: Int3, spacing: Float3, channels: int = 1, cases: int = 20) -> DatasetFingerprint:
    """Returns a data set of knees a little smaller and larger than each other."""
    return DatasetFingerprint(
        "Dataset001_Knee",
        "0" * 16,
        tuple(knee_case(f"k{k:02}", shape, spacing, channels, 0.9 + 0.2 * k / cases) for k in range(cases)),
    )


def dataset(channels: int = 1, targets: tuple[str, ...] | None = None) -> Dataset:
    """Returns the data set that `knees` fingerprints."""
    return Dataset(
        identifier=1,
        name="Dataset001_Knee",
        folder=Path("raw/Dataset001_Knee"),
        channel_names=tuple(f"MR{k}" for k in range(channels)),
        labels=Labels(("background", *KNEE), tuple(range(len(KNEE) + 1))),
        file_ending=".nii.gz",
        training=(),
        test=(),
        targets=targets,
    )
