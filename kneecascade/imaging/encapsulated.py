"""Decodes one compressed DICOM frame with the decoders inside SimpleITK: JPEG, JPEG-LS, JPEG 2000, RLE."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from kneecascade.errors import ImageError


def decode_frame(write: Callable[[Path], None]) -> np.ndarray:
    """Decodes a DICOM file of a single frame that says nothing about its values' scale.

    Args:
        write: writes that file to a path.

    Returns:
        The stored values, (Y, X), in their own integer type.

    Raises:
        ImageError: the frame cannot be decoded.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        write(path)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        try:
            array = sitk.GetArrayFromImage(reader.Execute())
        except RuntimeError as error:
            raise ImageError("its compressed pixels cannot be decoded") from error
    return array.reshape(array.shape[-2:])
