"""Splitting one file that holds several channels into a file a channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from kneecascade.core.geometry import Geometry
from kneecascade.errors import ImageError
from kneecascade.imaging.files import require_whole


def read_channels(path: Path) -> tuple[tuple[np.ndarray, ...], Geometry]:
    """Reads a 3D image, a 4D one whose last file axis is the channel, or a 3D one with vector voxels.

    Returns:
        One (Z, Y, X) array a channel in the file's own type, and their common grid; the fourth axis'
        spacing and origin are dropped.

    Raises:
        ImageError: the file is missing, unreadable, truncated, not finite, or neither 3D nor 4D.
    """
    if not path.is_file():
        raise ImageError(f"{path}: no such file")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ImageError(f"{path}: cannot be read as an image") from error
    require_whole(path)
    dimension, components = image.GetDimension(), image.GetNumberOfComponentsPerPixel()
    if (dimension, components > 1) not in {(3, False), (3, True), (4, False)}:
        raise ImageError(f"{path}: expected 3D or 4D, found {dimension}D with {components} components")
    array = sitk.GetArrayFromImage(image)
    if components > 1:
        array = np.moveaxis(array, -1, 0)
    return tuple(array.reshape(-1, *array.shape[-3:])), _grid(image)


def _grid(image: sitk.Image) -> Geometry:
    n = image.GetDimension()
    x, y, z = image.GetSpacing()[:3]
    nx, ny, nz = image.GetSize()[:3]
    ox, oy, oz = image.GetOrigin()[:3]
    direction = np.asarray(image.GetDirection()).reshape(n, n)[:3, :3]
    return Geometry((nz, ny, nx), (z, y, x), (ox, oy, oz), tuple(float(v) for v in direction.ravel()))
