"""What a converter finds in a source, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kneecascade.core.case import Side
from kneecascade.core.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Examination:
    """A case that was read.

    Attributes:
        channels: of each channel an array (Z, Y, X), or a file that holds just that channel on the grid
            `geometry` and can be copied as it is.
        geometry: of every channel and of the labels.
        labels: integers (Z, Y, X) with the source's own values; None for an unlabelled case.
        label_file: holds `labels` on `geometry` and can be copied as it is; None where it cannot.
        side: where reading told it; None leaves what the case says.
        notes: what was mended or is in doubt, for the user.
    """

    channels: tuple[np.ndarray | Path, ...]
    geometry: Geometry
    labels: np.ndarray | None = None
    label_file: Path | None = None
    side: Side | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceCase:
    """One examination of a source, not yet read.

    Attributes:
        name: its name in the data set that is written.
        subject: the person.
        files: all that `read` opens; a change of one of them makes the case be converted again.
        read: reads it.
        part: "Tr" to train on, "Ts" of the official test set.
        labelled: whether it has a reference segmentation.
        side: of the knee.
        site: where it was scanned, or "".
        grade: of the disease, or "".
        visit: which of several, or "".
    """

    name: str
    subject: str
    files: tuple[Path, ...]
    read: Callable[[], Examination]
    part: Literal["Tr", "Ts"] = "Tr"
    labelled: bool = True
    side: Side = "unknown"
    site: str = ""
    grade: str = ""
    visit: str = ""


@dataclass(frozen=True)
class Found:
    """A whole source.

    Attributes:
        key: the source's word on the command line.
        name: of the data set, the part after "Dataset001_".
        channel_names: one a channel.
        labels: the source's values to names, without the background.
        cases: in the order they are written.
        licence: of images and labels.
        expected: labels that every labelled case should hold; a case without one is told.
        folds: the official split, train and val by case name; None where there is none.
        file_ending: of what is written.
        about: further entries of dataset.json.
        notes: for the user, before the conversion.
    """

    key: str
    name: str
    channel_names: tuple[str, ...]
    labels: Mapping[int, str]
    cases: Sequence[SourceCase]
    licence: str
    expected: tuple[str, ...] = ()
    folds: list[dict[str, list[str]]] | None = None
    file_ending: str = ".nii.gz"
    about: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
