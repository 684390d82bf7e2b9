"""Reading and writing images through SimpleITK; here alone x, y, z becomes (C, Z, Y, X)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry
from kneecascade.errors import ImageError
from kneecascade.imaging.grid_fault import grid_fault, header_fault
from kneecascade.imaging.not_finite import count_not_finite
from kneecascade.imaging.stacking import stacked
from kneecascade.imaging.truncated import is_truncated

GEOMETRY_TOLERANCE_MM = 1e-2
DIRECTION_TOLERANCE = 1e-3
VALUES = np.iinfo(np.int16)
NOT_FINITE = "holds values that are not finite"


def read_geometry(path: Path) -> Geometry:
    """Reads only the header of a 3D image.

    Raises:
        ImageError: the file is missing, unreadable, not 3D, or on a grid that cannot be true.
    """
    _require(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            why = "its axes are not at right angles; resample it onto a grid whose axes are"
            raise ImageError(f"{path}: {why}") from error
        raise ImageError(f"{path}: cannot be read as an image") from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise ImageError(f"{path}: expected one 3D channel, found {_layout(reader)}")
    size, spacing = reader.GetSize(), reader.GetSpacing()
    geometry = _geometry(size, spacing, reader.GetOrigin(), reader.GetDirection())
    fault = grid_fault(geometry) or header_fault(path)
    if fault:
        raise ImageError(f"{path}: {fault}")
    return geometry


def read_volume(images: Sequence[Path]) -> Volume:
    """Reads one file a channel into float32 (C, Z, Y, X).

    Raises:
        ImageError: a file is missing, unreadable, not 3D, not finite, or on another grid than the first.
    """
    if not images:
        raise ImageError("no image given")
    arrays, geometries = zip(*(_read(path, np.float32) for path in images), strict=True)
    for path, geometry in zip(images, geometries, strict=True):
        difference = grid_difference(geometries[0], geometry)
        if difference:
            raise ImageError(f"{path}: {difference} differs from {images[0].name}")
    for path, array in zip(images, arrays, strict=True):
        # NaN comes through both, infinity through one: no array of as many booleans is needed
        if not (np.isfinite(array.min()) and np.isfinite(array.max())):
            raise ImageError(f"{path}: {NOT_FINITE}; replace them")
    return Volume(stacked(arrays), geometries[0])


def read_labels(path: Path) -> LabelVolume:
    """Reads a label file into int16 (Z, Y, X).

    Raises:
        ImageError: the file is missing, unreadable, not 3D, holds fractions or values beyond int16.
    """
    array, geometry = _read(path, None)
    if not np.issubdtype(array.dtype, np.integer) and not np.array_equal(np.rint(array), array):
        raise ImageError(f"{path}: a label file must hold whole numbers")
    if array.size and (array.min() < VALUES.min or array.max() > VALUES.max):
        odd = array.min() if array.min() < VALUES.min else array.max()
        raise ImageError(f"{path}: holds the value {odd:g}; label values go up to {VALUES.max}")
    return LabelVolume(array.astype(np.int16), geometry)


def write_labels(labels: LabelVolume, path: Path) -> None:
    """Writes labels as uint8 (int16 where a value needs it), first to a temporary name."""
    array = labels.array
    small = array.size == 0 or (array.min() >= 0 and array.max() <= 255)
    _write(array.astype(np.uint8 if small else np.int16), labels.geometry, path)


def write_channel(array_zyx: np.ndarray, geometry: Geometry, path: Path) -> None:
    """Writes one channel in the array's own type, first to a temporary name."""
    _write(array_zyx, geometry, path)


def require_whole(path: Path) -> None:
    """Checks what SimpleITK reads over in a NIfTI file, making it 0 without a word.

    Raises:
        ImageError: voxels are missing at the end, or are NaN or infinite.
    """
    if is_truncated(path):
        raise ImageError(f"{path}: is truncated; copy it again")
    odd = count_not_finite(path)
    if odd:
        raise ImageError(
            f"{path}: {NOT_FINITE} ({odd} voxel{'s' * (odd != 1)} of NaN or infinity); replace them"
        )


def grid_difference(a: Geometry, b: Geometry) -> str:
    """Says what differs between two grids: "shape", "spacing", "origin", "direction"; "" if nothing."""
    if a.shape_zyx != b.shape_zyx:
        return f"shape {b.shape_zyx}"
    if not np.allclose(a.spacing_mm, b.spacing_mm, atol=1e-3):
        return f"spacing {tuple(round(s, 4) for s in b.spacing_mm)}"
    if not np.allclose(a.origin_mm_xyz, b.origin_mm_xyz, atol=GEOMETRY_TOLERANCE_MM):
        return f"origin {tuple(round(s, 3) for s in b.origin_mm_xyz)}"
    if not np.allclose(a.direction_xyz, b.direction_xyz, atol=DIRECTION_TOLERANCE):
        return "direction"
    return ""


def _require(path: Path) -> None:
    if not path.is_file():
        raise ImageError(f"{path}: no such file")


def _read(path: Path, dtype: type[np.floating] | None) -> tuple[np.ndarray, Geometry]:
    """Returns an array in another type, or, for None, in the file's own."""
    geometry = read_geometry(path)
    require_whole(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ImageError(f"{path}: cannot be read; the file may be truncated") from error
    view = sitk.GetArrayViewFromImage(image)
    return np.array(view, dtype=dtype or view.dtype), geometry


def _geometry(
    size: Sequence[int],
    spacing: Sequence[float],
    origin: Sequence[float],
    direction: Sequence[float],
) -> Geometry:
    return Geometry(
        shape_zyx=(size[2], size[1], size[0]),
        spacing_mm=(spacing[2], spacing[1], spacing[0]),
        origin_mm_xyz=(origin[0], origin[1], origin[2]),
        direction_xyz=tuple(direction),
    )


def _layout(reader: sitk.ImageFileReader) -> str:
    return f"{reader.GetDimension()}D with {reader.GetNumberOfComponents()} components"


def _write(array: np.ndarray, geometry: Geometry, path: Path) -> None:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    z, y, x = geometry.spacing_mm
    image.SetSpacing((x, y, z))
    image.SetOrigin(geometry.origin_mm_xyz)
    image.SetDirection(geometry.direction_xyz)
    path.parent.mkdir(parents=True, exist_ok=True)
    # a folder, since some formats are a header and a data file that name each other
    with tempfile.TemporaryDirectory(prefix=".writing_", dir=path.parent) as folder:
        try:
            sitk.WriteImage(image, str(Path(folder) / path.name), useCompression=True)
        except RuntimeError as error:
            raise ImageError(f"{path}: cannot be written") from error
        # the named file last: where it is, everything is
        for written in sorted(Path(folder).iterdir(), key=lambda file: file.name == path.name):
            os.replace(written, path.with_name(written.name))
