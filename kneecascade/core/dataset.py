"""A raw data set as described by its dataset.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kneecascade.core.case import Case
from kneecascade.core.colors import Rgb
from kneecascade.core.labels import Labels


@dataclass(frozen=True)
class Dataset:
    """A raw data set in nnU-Net's layout.

    Attributes:
        identifier: the number in Dataset001_Name.
        name: the whole folder name, "Dataset001_Name".
        folder: where it lies.
        channel_names: one name a channel.
        labels: label names and values.
        file_ending: with its dot, ".nii.gz".
        training: cases with a reference segmentation, sorted by name.
        test: cases of imagesTs (label from labelsTs where there is one), sorted by name.
        targets: label names from the "kneecascade" entry of dataset.json, or None.
        licence: of images and labels, as dataset.json says it; "" where it does not.
        colors: (red, green, blue) by label name from the same entry; labels without one get their default.
    """

    identifier: int
    name: str
    folder: Path
    channel_names: tuple[str, ...]
    labels: Labels
    file_ending: str
    training: tuple[Case, ...]
    test: tuple[Case, ...]
    targets: tuple[str, ...] | None = None
    licence: str = ""
    colors: dict[str, Rgb] = field(default_factory=dict)
