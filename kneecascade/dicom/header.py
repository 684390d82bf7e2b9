"""Headers of DICOM files as frames; a multi-frame file's functional groups are searched for every value."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from kneecascade.dicom.frame import Frame, Series
from kneecascade.dicom.side import side_of

SIDE_CODES = ("Laterality", "ImageLaterality", "FrameLaterality")
SERIES_TEXTS = (
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "PerformedProcedureStepDescription",
    "AcquisitionProtocolName",
)
STUDY_TEXTS = ("StudyDescription", "RequestedProcedureDescription")
# in the order in which they are asked where several images lie at one place
OTHERS = (
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionNumber",
    "StackID",
    "InversionTime",
    "FlipAngle",
    "TriggerTime",
    "DiffusionBValue",
    "SequenceName",
)
SINGLE = (
    *("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "Modality"),
    *("SeriesNumber", "InstanceNumber", "FrameOfReferenceUID", "ImageType", "FrameType"),
    *("ComplexImageComponent", "EchoNumbers", "EchoTime", "EffectiveEchoTime", "RepetitionTime"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"),
)
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
WANTED = [
    *dict.fromkeys((*SINGLE, *SIDE_CODES, *SERIES_TEXTS, *STUDY_TEXTS, *OTHERS)),
    *GROUPS,
    "SpecificCharacterSet",
]
Values = Mapping[str, Any]


def frames_of(dataset: Dataset, path: Path, name: str) -> list[Frame]:
    """Returns the frames of a file; none where it holds no image.

    Args:
        dataset: its header.
        path: the file.
        name: its path as messages show it.
    """
    shared_groups, frame_groups = (dataset.get(keyword) or [] for keyword in GROUPS)
    top = {element.keyword: element.value for element in dataset if element.keyword not in GROUPS}
    if not _whole(top.get("Rows")) or not _whole(top.get("Columns")) or not top.get("SeriesInstanceUID"):
        return []
    shared = _flat(shared_groups[0]) if shared_groups else {}
    count = _whole(top.get("NumberOfFrames")) or 1
    frames = []
    for index in range(count):
        own = _flat(frame_groups[index]) if index < len(frame_groups) else {}
        frames.append(_frame(ChainMap(own, shared, top), path, name, index, count))
    return frames


def _frame(values: Values, path: Path, name: str, index: int, count: int) -> Frame:
    position = _numbers(values, "ImagePositionPatient", 3)
    orientation = _numbers(values, "ImageOrientationPatient", 6)
    spacing = _numbers(values, "PixelSpacing", 2)
    time = _number(values.get("EffectiveEchoTime"))
    return Frame(
        path=path,
        name=name,
        index=index,
        frames_in_file=count,
        series=_series(values),
        instance=_whole(values.get("InstanceNumber")),
        uid=_text(values, "SOPInstanceUID"),
        space_uid=_text(values, "FrameOfReferenceUID"),
        image_type=_image_type(values),
        echo_number=_whole(values.get("EchoNumbers")),
        echo_time_ms=_number(values.get("EchoTime")) if time is None else time,
        repetition_ms=_number(values.get("RepetitionTime")),
        flip_degrees=_number(values.get("FlipAngle")),
        others=tuple(_text(values, keyword) for keyword in OTHERS),
        samples=_whole(values.get("SamplesPerPixel")) or 1,
        inverted=_text(values, "PhotometricInterpretation") == "MONOCHROME1",
        shape_yx=(int(values["Rows"]), int(values["Columns"])),
        spacing_mm_yx=None if spacing is None or min(spacing) <= 0 else (spacing[0], spacing[1]),
        position_mm_xyz=None if position is None else (position[0], position[1], position[2]),
        orientation=orientation,
        slope=_number(values.get("RescaleSlope")) or 1.0,
        intercept=_number(values.get("RescaleIntercept")) or 0.0,
        side=side_of(
            *([_text(values, key) for key in keys] for keys in (SIDE_CODES, SERIES_TEXTS, STUDY_TEXTS))
        ),
    )


def _series(values: Values) -> Series:
    return Series(
        uid=_text(values, "SeriesInstanceUID"),
        study_uid=_text(values, "StudyInstanceUID"),
        patient=_text(values, "PatientID"),
        number=_whole(values.get("SeriesNumber")),
        description=_text(values, "SeriesDescription") or _text(values, "ProtocolName"),
        modality=_text(values, "Modality"),
    )


def _flat(group: Dataset) -> dict[str, Any]:
    """Returns the values of a functional group, whose items are sequences of one item each."""
    found: dict[str, Any] = {}
    for element in group:
        if isinstance(element.value, Sequence) and element.value:
            for inner in element.value[0]:
                found.setdefault(inner.keyword, inner.value)
    return found


def _image_type(values: Values) -> tuple[str, ...]:
    kind = values.get("FrameType") or values.get("ImageType") or ()
    words = (kind,) if isinstance(kind, str) else tuple(str(word) for word in kind)
    component = _text(values, "ComplexImageComponent")
    return (*words, component) if component else words


def _text(values: Values, keyword: str) -> str:
    value = values.get(keyword)
    return "" if value is None else " ".join(str(value).replace("\0", "").split())


def _number(value: Any) -> float | None:
    """Returns a finite number; the first where there are several."""
    if value is not None and not isinstance(value, str | bytes | float | int):
        value = next(iter(value), None)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _numbers(values: Values, keyword: str, count: int) -> tuple[float, ...] | None:
    value = values.get(keyword)
    if value is None or isinstance(value, str | bytes):
        return None
    numbers = [_number(item) for item in value]
    return (
        tuple(n for n in numbers if n is not None) if len(numbers) == count and None not in numbers else None
    )
