"""What quality control measures of a segmented image; the same of training cases and of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import cc3d
import numpy as np

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Float3, Geometry
from kneecascade.core.labels import Labels
from kneecascade.evaluation.measures import cartilage_labels
from kneecascade.evaluation.overlap import MM3_PER_ML
from kneecascade.evaluation.quality_borders import edges, roughnesses
from kneecascade.evaluation.quality_shading import shading
from kneecascade.evaluation.surface import surface_of
from kneecascade.evaluation.thickness import volume_over_half_surface_mm
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical

WORKING_MM = 0.75
"""Finer axes are thinned to about this: nothing here needs more, and a knee takes a fraction of the time."""
PIECE_SHARE = 0.02
PIECE_ML = 0.1
"""Pieces of less than this share of their label, and less than this volume, are crumbs, not pieces. A share
alone would let pieces of 2 ml beside a femur pass as crumbs."""
AXES = ("z", "y", "x")
SIDES = (("foot", "head"), ("front", "back"), ("right", "left"))
SAMPLED_VOXELS = 400_000
LEAST_VOXELS = 20
"""Fewer have no direction to speak of."""
NORMAL_MAD = 0.6745
SECOND_DIFFERENCE_SD = 6**0.5

Features = dict[str, dict[str, float]]
"""Value by check and by what is checked: {"volume": {"femur": 152.0}}."""


@dataclass(frozen=True, eq=False)
class _Grid:
    """Class indices (Z, Y, X) on the thinned canonical grid."""

    classes: np.ndarray
    spacing_mm: Float3
    names: tuple[str, ...]


def measure_features(
    volume: Volume | None, labels: LabelVolume, names: Labels, mirrored: bool = False
) -> Features:
    """Measures a case.

    Args:
        volume: the image; None leaves out what is measured of grey values.
        labels: file values on the same grid; values that are no label's count as background.
        names: of the labels.
        mirrored: measure the mirror image, left and right exchanged as inference does it; what is told of
            sides and along x is then of the mirror image.

    Returns:
        By check: volume (ml), thickness (mm, 2V/S, cartilage only), pieces, crumbs (share of the label
        outside pieces), contact (share of a label's faces towards another label), border (mm2 on a side
        of the image), arrangement (mm between the centres of two labels), lean (correlation of two
        coordinates inside a label: its turn, which a mirrored knee has the other way), roughness (surface
        over voted surface), tissue (median grey of a label on the scale of the image), edge (of the image
        at borders), shading (along each axis), intensity and noise of each channel, spacing and extent of
        the image (mm). A label that is not there has no features.
    """
    axes, (z, y, x) = canonical_axes(labels.geometry)
    flips = (z, y, x != mirrored)
    grid = _thinned(to_canonical(labels.array, axes, flips), labels.geometry, names)
    features = {**_of_pieces(grid), **_of_faces(grid), "border": dict(_borders(grid))}
    features |= {"thickness": dict(_thicknesses(grid, cartilage_labels(names))), "lean": dict(_leans(grid))}
    features["roughness"] = dict(roughnesses(grid.classes, grid.spacing_mm, grid.names))
    geometry = canonical_geometry(labels.geometry)
    features |= {
        "spacing": dict(zip(AXES, geometry.spacing_mm, strict=True)),
        "extent": dict(zip(AXES, geometry.extent_mm, strict=True)),
    }
    if volume is not None:
        channels = [to_canonical(channel, axes, flips) for channel in volume.array]
        features |= _of_grey(channels, grid, _steps(geometry.spacing_mm))
    return features


def _thinned(turned: np.ndarray, file: Geometry, names: Labels) -> _Grid:
    """Returns every n-th voxel along axes much finer than needed."""
    geometry = canonical_geometry(file)
    steps = _steps(geometry.spacing_mm)
    array = turned[_every(steps)]
    table = np.zeros(int(max(*names.values, array.max(initial=0))) + 1, dtype=np.uint8)
    table[list(names.values)] = np.arange(names.count)
    z, y, x = (mm * step for mm, step in zip(geometry.spacing_mm, steps, strict=True))
    return _Grid(table[np.ascontiguousarray(np.maximum(array, 0))], (z, y, x), names.names)


def _steps(spacing_mm: Float3) -> tuple[int, int, int]:
    z, y, x = (max(1, int(WORKING_MM / mm + 1e-3)) for mm in spacing_mm)
    return (z, y, x)


def _every(steps: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(None, None, step) for step in steps)


def _of_pieces(grid: _Grid) -> Features:
    """Returns volume, pieces and crumbs of each label, and the offsets of their centres."""
    components = cc3d.connected_components(grid.classes, connectivity=26)
    counts = cc3d.statistics(components)["voxel_counts"]
    owner = np.zeros(len(counts), dtype=np.uint8)
    owner[components.ravel()] = grid.classes.ravel()
    whole = cc3d.statistics(grid.classes)
    voxel_ml = float(np.prod(grid.spacing_mm)) / MM3_PER_ML
    volume, pieces, crumbs, centres = {}, {}, {}, {}
    for index, name in _there(grid, whole["voxel_counts"]):
        total = int(whole["voxel_counts"][index])
        sizes = counts[1:][owner[1:] == index]
        large = sizes[sizes >= min(PIECE_SHARE * total, PIECE_ML / voxel_ml)]
        volume[name], pieces[name] = total * voxel_ml, float(large.size)
        crumbs[name] = 1 - float(large.sum()) / total
        centres[name] = whole["centroids"][index] * grid.spacing_mm
    offsets = {}
    for a, b in combinations(centres, 2):
        for axis, offset in zip(AXES, centres[b] - centres[a], strict=True):
            offsets[f"{a} to {b} along {axis}"] = float(offset)
    return {"volume": volume, "pieces": pieces, "crumbs": crumbs, "arrangement": offsets}


def _there(grid: _Grid, counts: np.ndarray) -> Iterator[tuple[int, str]]:
    for index in range(1, min(len(grid.names), len(counts))):
        if counts[index]:
            yield index, grid.names[index]


def _of_faces(grid: _Grid) -> Features:
    """Returns which share of each label's faces lies against each other label."""
    count = len(grid.names)
    areas = np.zeros((count, count))
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        a, b = grid.classes[tuple(low)], grid.classes[tuple(high)]
        differs = a != b
        pairs = a[differs].astype(np.int64) * count + b[differs]
        area = float(np.prod(grid.spacing_mm)) / grid.spacing_mm[axis]
        areas += area * np.bincount(pairs, minlength=count * count).reshape(count, count)
    areas += areas.T
    contact = {}
    for own in range(1, count):
        total = areas[own].sum()
        for other in range(1, count):
            if total and own != other:
                contact[f"{grid.names[own]} on {grid.names[other]}"] = float(areas[own, other] / total)
    return {"contact": contact}


def _borders(grid: _Grid) -> Iterator[tuple[str, float]]:
    """Yields the area of each label on each side of the image."""
    for axis, sides in enumerate(SIDES):
        area = float(np.prod(grid.spacing_mm)) / grid.spacing_mm[axis]
        for side, index in zip(sides, (0, -1), strict=True):
            plane = np.take(grid.classes, index, axis=axis)
            counts = np.bincount(plane.ravel(), minlength=len(grid.names))
            for k, name in enumerate(grid.names[1:], start=1):
                yield f"{name} at the {side}", float(counts[k]) * area


def _leans(grid: _Grid) -> Iterator[tuple[str, float]]:
    """Yields the correlation of each two coordinates of each label's voxels; every eighth voxel is enough."""
    thin = grid.classes[::2, ::2, ::2]
    places = np.nonzero(thin)
    owners = thin[places]
    for k, name in enumerate(grid.names[1:], start=1):
        mine = np.stack([axis[owners == k] * mm for axis, mm in zip(places, grid.spacing_mm, strict=True)])
        if mine.shape[1] < LEAST_VOXELS:
            continue
        spread = np.cov(mine)
        for a, b in combinations(range(3), 2):
            yield (
                f"{name}, {AXES[a]} with {AXES[b]}",
                float(spread[a, b] / np.sqrt(max(spread[a, a] * spread[b, b], 1e-12))),
            )


def _thicknesses(grid: _Grid, sheets: Sequence[str]) -> Iterator[tuple[str, float]]:
    for name in sheets:
        mask = grid.classes == grid.names.index(name)
        volume_mm3 = float(np.count_nonzero(mask) * np.prod(grid.spacing_mm))
        area = surface_of(mask, grid.spacing_mm, bounding_box(mask)).area_mm2
        thickness = volume_over_half_surface_mm(volume_mm3, area)
        if thickness is not None:
            yield name, thickness


def _of_grey(channels: Sequence[np.ndarray], grid: _Grid, steps: Sequence[int]) -> Features:
    """Returns intensities on a scale of their own: 0 at the 0.5th, 1 at the 99.5th percentile."""
    tissue, intensity, noise = {}, {}, {}
    edge: dict[str, float] = {}
    slopes: dict[str, float] = {}
    for number, channel in enumerate(channels):
        thin = channel[_every(steps)]
        sample = thin.ravel()[:: max(1, thin.size // SAMPLED_VOXELS) | 1]
        low, high = (float(v) for v in np.percentile(sample, [0.5, 99.5]))
        scale = max(high - low, 1e-12)
        where = f"channel {number}"
        relative = np.clip((sample - low) / scale, 0, 1)
        for name, value in zip(
            ("25th percentile", "median", "75th percentile"),
            np.percentile(relative, [25, 50, 75]),
            strict=True,
        ):
            intensity[f"{name} of {where}"] = float(value)
        intensity[f"mean of {where}"] = float(relative.mean())
        intensity[f"spread of {where}"] = float(relative.std())
        noise[where] = _noise(channel, float(np.median(sample))) / scale
        edge.update(edges(grid.classes, thin, grid.names, where))
        found = shading(grid.classes, thin, grid.spacing_mm, grid.names, scale)
        slopes |= {f"along {axis} of {where}": slope for axis, slope in zip(AXES, found or (), strict=False)}
        for k, label in enumerate(grid.names[1:], start=1):
            inside = thin[grid.classes == k]
            if inside.size:
                tissue[f"{label} in {where}"] = float((np.median(inside) - low) / scale)
    return {"tissue": tissue, "edge": edge, "shading": slopes, "intensity": intensity, "noise": noise}


def _noise(channel: np.ndarray, above: float) -> float:
    """Returns the robust standard deviation of second differences along X where the image is bright."""
    rows = channel[:: max(1, channel.size // (4 * SAMPLED_VOXELS))]
    middle = rows[..., 1:-1]
    bright = middle > above
    if not bright.any():
        return 0.0
    differences = (2 * middle - rows[..., :-2] - rows[..., 2:])[bright]
    return float(np.median(np.abs(differences)) / (NORMAL_MAD * SECOND_DIFFERENCE_SD))
