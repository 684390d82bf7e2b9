"""Labels as a DICOM segmentation that refers to the images it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import kneecascade
from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.dicom.codes import Code, anatomy_of
from kneecascade.dicom.scan import quiet_pydicom, read_header
from kneecascade.dicom.stack import Stack
from kneecascade.errors import ImageError, MissingExtraError
from kneecascade.files import written_whole

SERIES_NUMBER_OFFSET = 1000
PATIENT_TAGS = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
STUDY_TAGS = ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName")


def require_highdicom() -> Any:
    """Returns the package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import highdicom
    except ImportError as error:
        raise MissingExtraError("--dicom-seg needs highdicom: pip install kneecascade[dicom]") from error
    return highdicom


def write_segmentation(
    found: LabelVolume, labels: Labels, stack: Stack, path: Path, algorithm: str, side: str = "unknown"
) -> None:
    """Writes one binary segment a label, numbered like the class indices, first to a temporary name.

    A label without a voxel has its segment too, without frames.

    Args:
        found: file values on the grid of the stack.
        labels: names and file values.
        stack: the images; where echoes were combined, the first.
        path: ends in .dcm.
        algorithm: name of the model.
        side: "left" or "right" are coded.

    Raises:
        MissingExtraError: highdicom is not installed.
        ImageError: there is no label in it, or the images lack what a segmentation needs.
    """
    hd = require_highdicom()
    if not found.array.any():
        raise ImageError(f"{path.name}: no voxel has a label, and DICOM knows no empty segmentation")
    with quiet_pydicom():
        sources = _sources(stack)
        try:
            segments = _segments(hd, labels, side, algorithm)
            indices = _indices(hd, found, labels, stack)
            segmentation = _segmentation(hd, indices, segments, sources, algorithm)
        except (AttributeError, KeyError, ValueError, TypeError) as error:
            raise ImageError(f"{path.name}: no DICOM segmentation of these images: {error}") from error
        with written_whole(path) as temporary:
            segmentation.save_as(temporary)


def _segments(hd: Any, labels: Labels, side: str, algorithm: str) -> list[Any]:
    made_by = hd.AlgorithmIdentificationSequence(
        name=algorithm,
        version=kneecascade.__version__,
        family=_coded(hd, ("123110", "Artificial Intelligence"), "DCM"),
        source="kneecascade",
    )
    return [_segment(hd, k, name, side, made_by) for k, name in enumerate(labels.names) if k]


def _segmentation(
    hd: Any, indices: Any, segments: Sequence[Any], sources: Sequence[Dataset], algorithm: str
) -> Any:
    first = sources[0]
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=indices,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER_OFFSET + int(first.get("SeriesNumber") or 0),
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="kneecascade",
        manufacturer_model_name=algorithm,
        software_versions=kneecascade.__version__,
        device_serial_number="0",
        series_description=f"Segmentation of {first.get('SeriesDescription', 'knee')}"[:64],
        content_label="KNEE",
    )


def _indices(hd: Any, found: LabelVolume, labels: Labels, stack: Stack) -> Any:
    """Returns class indices as highdicom's volume, whose frames find their source images by place."""
    geometry = stack.geometry
    if geometry is None or found.array.shape != geometry.shape_zyx:
        raise ValueError("the labels are on another grid")
    table = np.zeros(int(max(labels.values)) + 1, np.uint8)
    table[list(labels.values)] = range(labels.count)
    direction = np.array(geometry.direction_xyz).reshape(3, 3)
    affine = np.eye(4)
    # highdicom's array axes are slices, rows, columns
    affine[:3, :3] = direction[:, ::-1] * np.array(geometry.spacing_mm)
    affine[:3, 3] = geometry.origin_mm_xyz
    return hd.Volume(
        array=table[found.array],
        affine=affine,
        coordinate_system="PATIENT",
        frame_of_reference_uid=stack.frames[0].space_uid or None,
    )


def _segment(hd: Any, number: int, name: str, side: str, made_by: Any) -> Any:
    anatomy = anatomy_of(name, side)
    description = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=_coded(hd, anatomy.category),
        segmented_property_type=_coded(hd, anatomy.kind),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=made_by,
        anatomic_regions=[_coded(hd, anatomy.region)],
    )
    if anatomy.modifiers:
        kind = description.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [_coded(hd, code) for code in anatomy.modifiers]
    return description


def _coded(hd: Any, code: Code, scheme: str = "SCT") -> Any:
    return hd.sr.CodedConcept(value=code[0], scheme_designator=scheme, meaning=code[1])


def _sources(stack: Stack) -> list[Dataset]:
    """Reads the headers of a stack and mends in memory what would keep them from being referred to.

    What de-identification took away gets empty values; orientation and steps, which a scanner may round
    differently from slice to slice or leave out, become those of the checked stack.
    """
    headers = [read_header(path) for path in dict.fromkeys(frame.path for frame in stack.frames)]
    first, geometry = stack.frames[0], stack.geometry
    for header in headers:
        for keyword in (*PATIENT_TAGS, *STUDY_TAGS):
            if keyword not in header:
                setattr(header, keyword, "")
        measures = turned = header
        if "PerFrameFunctionalGroupsSequence" in header:
            measures, turned = (_shared(header, name) for name in ("PixelMeasures", "PlaneOrientation"))
        step = geometry.spacing_mm[0] if geometry else 1.0
        measures.PixelSpacing = [f"{value:.8g}" for value in first.spacing_mm_yx or ()]
        measures.SpacingBetweenSlices = f"{step:.8g}"
        if measures.get("SliceThickness") is None:
            measures.SliceThickness = measures.SpacingBetweenSlices
        turned.ImageOrientationPatient = [f"{value:.12g}" for value in first.orientation or ()]
    return headers


def _shared(header: Dataset, name: str) -> Dataset:
    """Returns the item of a shared functional group, made where it is not there."""
    if not header.get("SharedFunctionalGroupsSequence"):
        header.SharedFunctionalGroupsSequence = [Dataset()]
    groups, keyword = header.SharedFunctionalGroupsSequence[0], f"{name}Sequence"
    if not groups.get(keyword):
        setattr(groups, keyword, [Dataset()])
    return groups[keyword].value[0]
