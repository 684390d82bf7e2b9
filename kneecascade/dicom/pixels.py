"""The pixels of a stack: decoded, rescaled slice by slice, stacked on the grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from kneecascade.dicom.frame import Frame
from kneecascade.dicom.scan import quiet_pydicom
from kneecascade.dicom.stack import Stack
from kneecascade.errors import ImageError, KneecascadeError, MissingExtraError
from kneecascade.imaging.encapsulated import decode_frame

LAYOUT = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation"),
)


def read_stack(stack: Stack) -> np.ndarray:
    """Reads the values of a usable stack, (Z, Y, X).

    Returns:
        The stored integers where no slice is rescaled, else float32.

    Raises:
        ImageError: the stack is refused, or a slice cannot be decoded.
        MissingExtraError: a slice needs a decoder that is not installed.
    """
    if stack.refusal or stack.geometry is None:
        raise ImageError(stack.refusal.why if stack.refusal else "has no grid")
    place = {(frame.path, frame.index): k for k, frame in enumerate(stack.frames)}
    rescaled = any(frame.slope != 1 or frame.intercept != 0 for frame in stack.frames)
    volume: np.ndarray | None = None
    with quiet_pydicom():
        for frame, stored in _stored(sorted(stack.frames, key=lambda frame: (str(frame.path), frame.index))):
            if stored.shape != frame.shape_yx:
                raise ImageError(f"{frame.label} has {stored.shape} pixels, its header says {frame.shape_yx}")
            # big-endian files come in their own byte order
            stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
            if volume is None:
                volume = np.empty(stack.geometry.shape_zyx, np.float32 if rescaled else stored.dtype)
            if not rescaled and not np.can_cast(stored.dtype, volume.dtype):
                volume = volume.astype(np.promote_types(stored.dtype, volume.dtype))
            values = stored * frame.slope + frame.intercept if rescaled else stored
            volume[place[frame.path, frame.index]] = values
    assert volume is not None
    return volume


def _stored(frames: Sequence[Frame]) -> Iterator[tuple[Frame, np.ndarray]]:
    """Yields frames with their stored values; opens each file once."""
    for path, of_file in groupby(frames, key=lambda frame: frame.path):
        members = list(of_file)
        frame = members[0]
        try:
            dataset = pydicom.dcmread(path, force=True)
            if "TransferSyntaxUID" not in dataset.file_meta:
                dataset.file_meta.TransferSyntaxUID = _plain_syntax(dataset)
            if "PixelData" not in dataset:
                raise ImageError("its pixels are cut off; copy it again")
            arrays = _decoded(dataset, [member.index for member in members])
            for frame in members:
                yield frame, next(arrays)
        except KneecascadeError as error:
            raise type(error)(f"{frame.label}: {error}") from error
        except Exception as error:  # whatever broken bytes lead to in pydicom
            why = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(f"{frame.label}: its pixels cannot be read ({why})") from error


def _decoded(dataset: Dataset, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields stored values of frames in rising order; compressed ones go through SimpleITK first."""
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        yield from iter_pixels(dataset, indices=list(indices), raw=True)
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    wanted = set(indices)
    for index, code in enumerate(generate_frames(dataset.PixelData, number_of_frames=count)):
        if index not in wanted:
            continue
        try:
            yield decode_frame(partial(_write_alone, dataset, code))
        except ImageError:
            _require_decoder(dataset.file_meta.TransferSyntaxUID)
            yield next(iter_pixels(dataset, indices=[index], raw=True))


def _require_decoder(syntax: UID) -> None:
    """Raises where pydicom has no decoder for what SimpleITK could not decode."""
    try:
        ready = get_decoder(syntax).is_available
    except NotImplementedError:
        ready = False
    if not ready:
        known = "pip install kneecascade[dicom] adds decoders"
        raise MissingExtraError(f"its pixels ({syntax.name}) cannot be decoded here; {known}")


def _write_alone(dataset: Dataset, code: bytes, path: Path) -> None:
    """Writes one compressed frame as a file of its own, without scale, place or functional groups."""
    alone = Dataset()
    for keyword in LAYOUT:
        if keyword in dataset:
            alone[keyword] = dataset[keyword]
    alone.SOPClassUID, alone.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    alone.PixelData = encapsulate([code])
    alone["PixelData"].VR = "OB"
    alone.file_meta = FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    alone.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    alone.file_meta.MediaStorageSOPInstanceUID = alone.SOPInstanceUID
    alone.save_as(path, enforce_file_format=True)


def _plain_syntax(dataset: Dataset) -> UID:
    """Returns the uncompressed syntax of a file that was written without a preamble."""
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian
