"""One 2D image of a DICOM file: where it lies, what it shows, which series it is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kneecascade.core.geometry import Float3
from kneecascade.dicom.side import Side


@dataclass(frozen=True)
class Series:
    """What all images of a series have in common; absent texts are empty.

    Attributes:
        uid: SeriesInstanceUID.
        study_uid: StudyInstanceUID.
        patient: PatientID.
        number: SeriesNumber, or None.
        description: SeriesDescription, else ProtocolName.
        modality: such as MR.
    """

    uid: str
    study_uid: str
    patient: str
    number: int | None
    description: str
    modality: str


@dataclass(frozen=True)
class Frame:
    """One 2D image; a multi-frame file has many.

    Attributes:
        path: its file.
        name: the file's path inside the folder that was searched, for messages.
        index: number of the frame in its file, from 0.
        frames_in_file: 1 for a classic image.
        series: its series.
        instance: InstanceNumber, or None.
        uid: SOPInstanceUID of the file.
        space_uid: FrameOfReferenceUID.
        image_type: ImageType, of a multi-frame file FrameType.
        echo_number: EchoNumbers, or None.
        echo_time_ms: EchoTime or EffectiveEchoTime, or None.
        repetition_ms: RepetitionTime, or None.
        flip_degrees: FlipAngle, or None.
        others: further values that may tell images at one place apart, such as the time point.
        samples: values a pixel; 1 for grey.
        inverted: whether low values are bright (MONOCHROME1).
        shape_yx: rows, columns.
        spacing_mm_yx: distance of rows, of columns; None if not told.
        position_mm_xyz: centre of the first pixel, or None.
        orientation: direction of a row (x, y, z), then of a column; None if not told.
        slope: value of a stored step.
        intercept: value of a stored 0.
        side: what its tags say.
    """

    path: Path
    name: str
    index: int
    frames_in_file: int
    series: Series
    instance: int | None
    uid: str
    space_uid: str
    image_type: tuple[str, ...]
    echo_number: int | None
    echo_time_ms: float | None
    repetition_ms: float | None
    flip_degrees: float | None
    others: tuple[str, ...]
    samples: int
    inverted: bool
    shape_yx: tuple[int, int]
    spacing_mm_yx: tuple[float, float] | None
    position_mm_xyz: Float3 | None
    orientation: tuple[float, ...] | None
    slope: float
    intercept: float
    side: Side

    @property
    def label(self) -> str:
        """How messages name the slice."""
        if self.frames_in_file > 1:
            return f"frame {self.index + 1} of {self.name}"
        number = "" if self.instance is None else f" {self.instance}"
        return f"slice{number} ({self.name})"
