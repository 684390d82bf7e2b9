"""One phantom case in memory: image, labels, exact answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Float3, Geometry, Int3
from kneecascade.errors import ImageError
from kneecascade.imaging.orientation import (
    canonical_axes,
    canonical_geometry,
    from_canonical,
    to_canonical,
)
from kneecascade.imaging.resample import resample_image, resample_labels, target_shape
from kneecascade.phantom import tissue
from kneecascade.phantom.anatomy import NAMES, labels_on, make_knee, truth
from kneecascade.phantom.contrast import borders_shown, render
from kneecascade.phantom.grids import mirrored_geometry, oblique_geometry, regridded

MENISCI = NAMES.index("menisci")
TURN_DEGREES = 8.0
MERGED = {7: 1, 8: 3, 9: 5}
"""Bone lesions of a given anatomy count as their bone."""
RENDER_MM = 0.75
"""Coarser grids are rendered at twice their resolution, then averaged, for partial volume."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A rendered case.

    Attributes:
        image: one channel.
        labels: on the same grid.
        side: "left", "right" or "unknown".
        truth: exact answers; empty for a given anatomy.
        shown: labels by the borders that the image shows, where they were asked for.
    """

    image: Volume
    labels: LabelVolume
    side: str
    truth: dict[str, dict[str, float]]
    shown: LabelVolume | None = None


def procedural_sample(
    seed: tuple[int, ...],
    shape_zyx: Int3,
    spacing_mm: Float3,
    side: str,
    answers: bool = True,
    contrast: str = "DESS",
) -> Sample:
    """Makes a knee out of nothing.

    Args:
        seed: of everything random.
        shape_zyx: voxels (head-foot, front-back, right-left).
        spacing_mm: likewise.
        side: "left" or "right".
        answers: whether to work out the exact answers, which takes seconds.
        contrast: one of `looks.CONTRASTS`.
    """
    draw = np.random.default_rng((*seed, 1))
    extent = tuple(n * mm for n, mm in zip(shape_zyx, spacing_mm, strict=True))
    knee = make_knee((*seed, 2), (extent[0], extent[1], extent[2]), side)
    factor = 2 if max(spacing_mm) > RENDER_MM else 1
    z, y, x = (n * factor for n in shape_zyx)
    fine = labels_on(knee, (z, y, x))
    anatomy = np.where(fine == MENISCI, tissue.MENISCI, fine)
    fine_mm = (spacing_mm[0] / factor, spacing_mm[1] / factor, spacing_mm[2] / factor)
    grey = resample_image(render(anatomy, fine_mm, (*seed, 3), contrast)[None], shape_zyx)
    # sampled at voxel centres: halving labels instead would give every tie of a thin layer to its neighbour
    labels = labels_on(knee, shape_zyx) if factor > 1 else fine
    stored = oblique_geometry(shape_zyx, spacing_mm, TURN_DEGREES, draw)
    axes, flips = canonical_axes(stored)
    image = np.ascontiguousarray(from_canonical(grey, axes, flips))
    return Sample(
        Volume(image, stored),
        LabelVolume(np.ascontiguousarray(from_canonical(labels, axes, flips)), stored),
        side,
        truth(knee) if answers else {},
    )


def anatomy_sample(
    given: LabelVolume,
    seed: tuple[int, ...],
    spacing_mm: Float3 | None,
    mirrored: bool,
    side: str = "unknown",
    contrast: str = "DESS",
    borders: bool = False,
) -> Sample:
    """Renders a given label map; the result lies on the canonical grid.

    Args:
        given: 1 femur, 2 femoral cartilage, 3 tibia, 4 tibial cartilage, 5 patella, 6 patellar cartilage,
            7, 8, 9 lesions of femur, tibia and patella, counted as their bone.
        seed: of the rendering.
        spacing_mm: (z, y, x) of the result on the canonical grid, None for the map's own.
        mirrored: makes the other side's knee of it.
        side: of the given map; a mirrored one gets the other.
        contrast: one of `looks.CONTRASTS`.
        borders: return the borders that the image shows as well.

    Raises:
        ImageError: the map holds another value, or nothing.
    """
    _require_knee(given.array)
    anatomy, native = _canonical(given, mirrored)
    if mirrored:
        side = {"left": "right", "right": "left"}.get(side, side)
    shape = native.shape_zyx
    if spacing_mm is not None:
        shape = target_shape(shape, native.spacing_mm, spacing_mm)
    grey = resample_image(render(anatomy, native.spacing_mm, seed, contrast)[None], shape)
    grid = regridded(native, shape)
    shown = borders_shown(anatomy, native.spacing_mm, seed) if borders else None
    labels, *borders_too = (_merged(some, shape) for some in (anatomy, shown) if some is not None)
    seen = LabelVolume(borders_too[0], grid) if borders_too else None
    return Sample(Volume(grey, grid), LabelVolume(labels, grid), side, {}, seen)


def _canonical(given: LabelVolume, mirrored: bool) -> tuple[np.ndarray, Geometry]:
    axes, flips = canonical_axes(given.geometry)
    anatomy = np.ascontiguousarray(to_canonical(given.array, axes, flips)).astype(np.uint8)
    native = canonical_geometry(given.geometry)
    if not mirrored:
        return anatomy, native
    return np.ascontiguousarray(anatomy[:, :, ::-1]), mirrored_geometry(native)


def _merged(anatomy: np.ndarray, shape_zyx: Int3) -> np.ndarray:
    """Returns labels on another grid; lesions become their bone."""
    bones = anatomy.copy()
    for lesion, bone in MERGED.items():
        bones[anatomy == lesion] = bone
    return resample_labels(bones, MENISCI, shape_zyx)


def _require_knee(array: np.ndarray) -> None:
    found = np.unique(array)
    if found.max() > max(MERGED) or found.min() < 0 or not found.any():
        raise ImageError(
            f"label values {found.tolist()}: expected 1 to 6 for a knee, 7 to 9 for bone lesions"
        )


def tiny_knee(seed: int = 0, shape_zyx: Int3 = (40, 40, 32)) -> Sample:
    """Makes a knee of about 110 mm in very few voxels; for tests."""
    z, y, x = shape_zyx
    return procedural_sample((seed,), shape_zyx, (112.0 / z, 112.0 / y, 90.0 / x), "right", answers=False)
