"""Reading what several sources share: pairs of files, HDF5 arrays, grids without a header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kneecascade.core.geometry import Float3, Geometry, Int3
from kneecascade.dataset_conversion.found import Examination
from kneecascade.errors import DatasetError, MissingExtraError
from kneecascade.imaging.files import grid_difference, read_geometry, read_labels

DIRECTIONS: dict[str, tuple[int, int, int]] = {
    "SI": (0, 0, -1),
    "IS": (0, 0, 1),
    "AP": (0, 1, 0),
    "PA": (0, -1, 0),
    "LR": (-1, 0, 0),
    "RL": (1, 0, 0),
}
"""Where an axis runs, in the patient's x, y, z (to the left, back, head): "SI" from head to foot."""


def read_files(images: Sequence[Path], label: Path | None) -> Examination:
    """Reads a case whose files can be taken as they are: one 3D file a channel, labels on their grid.

    Raises:
        ImageError: a file cannot be read.
        DatasetError: grids differ.
    """
    geometry = read_geometry(images[0])
    for path in images[1:]:
        _require_same(geometry, read_geometry(path), path, images[0])
    if label is None:
        return Examination(tuple(images), geometry)
    volume = read_labels(label)
    _require_same(geometry, volume.geometry, label, images[0])
    return Examination(tuple(images), geometry, volume.array, label)


def grid(shape: Int3, spacing_mm: Float3, axes: Sequence[str]) -> Geometry:
    """Returns the grid of an array (Z, Y, X) whose axes run as told, such as ("SI", "AP", "LR").

    Raises:
        DatasetError: the axes do not span space.
    """
    rows = [DIRECTIONS.get(axis) for axis in axes]
    if len(rows) != 3 or None in rows:
        raise DatasetError(f"axes {', '.join(map(str, axes))}: must be three of {', '.join(DIRECTIONS)}")
    columns = np.array(rows[::-1], dtype=float).T
    if abs(np.linalg.det(columns)) < 0.5:
        raise DatasetError(f"axes {', '.join(axes)}: two run along the same line")
    return Geometry(shape, spacing_mm, direction_xyz=tuple(float(v) + 0.0 for v in columns.ravel()))


def read_hdf5(path: Path, *keys: str) -> tuple[np.ndarray | None, ...]:
    """Reads arrays of an HDF5 file; None where there is no such key.

    Raises:
        DatasetError: the file is no HDF5 file or is broken.
        MissingExtraError: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("HDF5 files need h5py: pip install kneecascade[datasets]") from error
    try:
        with h5py.File(path, "r") as file:
            return tuple(np.asarray(file[key]) if key in file else None for key in keys)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read as HDF5; it may be truncated") from error


def _require_same(geometry: Geometry, other: Geometry, path: Path, first: Path) -> None:
    difference = grid_difference(geometry, other)
    if difference:
        raise DatasetError(f"{path}: {difference} differs from {first.name}")
