"""Small DICOM series with known voxels, written with pydicom."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

ENHANCED_MR = UID("1.2.840.10008.5.1.4.1.1.4.1")


def oblique(first: float, second: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns row, column and normal of sagittal slices turned twice, by angles in degrees."""
    a, b = np.deg2rad([first, second])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    row, column = (about_x @ about_z @ np.array(v, float) for v in ((0, 1, 0), (0, 0, -1)))
    return row, column, np.cross(row, column)


@dataclass
class Stack:
    """A volume to be written: `array` (Z, Y, X) of integers along the slice normal."""

    array: np.ndarray
    spacing_mm: tuple[float, float, float] = (1.5, 0.5, 0.4)
    origin: tuple[float, float, float] = (10.0, -20.0, 30.0)
    angles: tuple[float, float] = (0.0, 0.0)
    tags: dict[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return oblique(*self.angles)

    def position(self, k: float) -> list[str]:
        return [f"{v:.6f}" for v in np.array(self.origin) + self.axes[2] * k * self.spacing_mm[0]]

    @property
    def orientation(self) -> list[str]:
        return [f"{v:.9f}" for v in np.concatenate(self.axes[:2])]


def random_stack(seed: int = 0, shape: tuple[int, int, int] = (10, 12, 14), **more: Any) -> Stack:
    array = np.random.default_rng(seed).integers(0, 4000, shape).astype(np.uint16)
    return Stack(array, **more)


def series_tags(number: int = 5, description: str = "Sag DESS", **more: Any) -> dict[str, Any]:
    """Returns the tags that images of one series share."""
    return {
        "SeriesInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "FrameOfReferenceUID": generate_uid(),
        "SeriesNumber": number,
        "SeriesDescription": description,
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "RepetitionTime": "25",
        "FlipAngle": "30",
        **more,
    }


def slices(stack: Stack, tags: dict[str, Any], first_instance: int = 1) -> list[Dataset]:
    """Returns the classic images of a stack, not yet encoded."""
    made = []
    for k, plane in enumerate(stack.array):
        image = _pixels(plane)
        image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, generate_uid()
        image.InstanceNumber = first_instance + k
        image.ImagePositionPatient = stack.position(k)
        image.ImageOrientationPatient = stack.orientation
        image.PixelSpacing = [str(step) for step in stack.spacing_mm[1:]]
        image.SliceThickness = "9.9"  # is never to be believed
        for keyword, value in {**tags, **stack.tags}.items():
            setattr(image, keyword, value)
        made.append(image)
    return made


def enhanced(stacks: Sequence[Stack], tags: dict[str, Any], slopes: Sequence[float] = ()) -> Dataset:
    """Returns one multi-frame image of several echoes, its frames shuffled; slice k has slopes[k]."""
    order = [(e, k) for e, stack in enumerate(stacks) for k in range(len(stack.array))]
    np.random.default_rng(3).shuffle(order)
    image = _pixels(np.stack([stacks[e].array[k] for e, k in order]))
    image.NumberOfFrames = len(order)
    image.SOPClassUID, image.SOPInstanceUID = ENHANCED_MR, generate_uid()
    image.InstanceNumber = 1
    for keyword, value in tags.items():
        setattr(image, keyword, value)
    first = stacks[0]
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(PixelSpacing=[str(step) for step in first.spacing_mm[1:]])
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=first.orientation)
    image.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for e, k in order:
        group = Dataset()
        group.PlanePositionSequence = _item(ImagePositionPatient=stacks[e].position(k))
        group.MREchoSequence = _item(EffectiveEchoTime=10.0 * (e + 1))
        if slopes:
            group.PixelValueTransformationSequence = _item(
                RescaleSlope=str(slopes[k]), RescaleIntercept="-3", RescaleType="US"
            )
        groups.append(group)
    image.PerFrameFunctionalGroupsSequence = Items(groups)
    return image


def write(image: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Writes an image, compressed where the transfer syntax is; `image` itself stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = deepcopy(image)
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    copy.file_meta.MediaStorageSOPClassUID = copy.SOPClassUID
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    if syntax.is_encapsulated:
        copy.compress(syntax, generate_instance_uid=False)
    elif not syntax.is_little_endian:
        size = copy.BitsAllocated // 8
        copy.PixelData = np.frombuffer(copy.PixelData, f"<u{size}").astype(f">u{size}").tobytes()
        copy["PixelData"].VR = "OW" if size == 2 else "OB"
    encoding = {} if syntax.is_encapsulated else _encoding(syntax)
    copy.save_as(path, enforce_file_format=True, **encoding)
    return path


def write_series(
    folder: Path, stack: Stack, tags: dict[str, Any], syntax: UID = ExplicitVRLittleEndian, first: int = 1
) -> list[Path]:
    """Writes a classic series under names that tell nothing of the order."""
    images = slices(stack, tags, first)
    names = np.random.default_rng(7).permutation(len(images)) + 1000 * first
    return [write(image, folder / f"IM{n}", syntax) for image, n in zip(images, names, strict=True)]


def _pixels(array: np.ndarray) -> Dataset:
    image = Dataset()
    image.Rows, image.Columns = array.shape[-2:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = array.dtype.itemsize * 8
    image.BitsAllocated, image.BitsStored, image.HighBit = bits, bits, bits - 1
    image.PixelRepresentation = int(array.dtype.kind == "i")
    image.PixelData = array.tobytes()
    image["PixelData"].VR = "OW" if bits == 16 else "OB"
    return image


def _item(**values: Any) -> Items:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Items([item])


def _encoding(syntax: UID) -> dict[str, bool]:
    return {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
