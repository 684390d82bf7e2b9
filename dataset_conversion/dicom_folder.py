"""One DICOM series in a folder, as a source's image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kneecascade.core.case import Side
from kneecascade.core.geometry import Geometry
from kneecascade.dicom.grouping import group
from kneecascade.dicom.scan import frames_in
from kneecascade.dicom.sniff import is_dicom
from kneecascade.dicom.source import make_source, read_source
from kneecascade.errors import DatasetError


def read_dicom_folder(folder: Path) -> tuple[np.ndarray, Geometry, Side]:
    """Reads the only series of a folder, with what its tags say of the side.

    Returns:
        The array (Z, Y, X), int16 where all values fit, else float32; its grid; the side.

    Raises:
        DatasetError: the folder holds no usable series, or several.
        ImageError: a slice is missing or cannot be decoded.
        InputError: a file cannot be read as DICOM.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and is_dicom(path))
    sets = group(frames_in(files)) if files else []
    usable = [found for found in sets if found.refusal is None]
    if len(usable) != 1:
        why = [found.refusal.why for found in sets if found.refusal is not None]
        told = f"; {why[0]}" if why and not usable else ""
        raise DatasetError(f"{folder}: {len(usable)} usable DICOM series, expected one{told}")
    source = make_source(usable[0], None, 1)
    volume = read_source(source)
    array = volume.array[0]
    whole = np.rint(array)
    limits = np.iinfo(np.int16)
    fits = np.array_equal(whole, array) and array.min() >= limits.min and array.max() <= limits.max
    return whole.astype(np.int16) if fits else array, volume.geometry, source.side
