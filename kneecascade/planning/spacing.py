"""Chooses the voxel spacing of both stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import numpy as np

from kneecascade.core.fingerprint import CaseFingerprint
from kneecascade.core.geometry import Float3, Int3

# an axis this much coarser than the others is finer-sampled than its median (nnU-Net's rule):
# the median would throw away what the better half of the data shows between thick slices
ANISOTROPIC = 3.0
ANISOTROPIC_PERCENTILE = 10

# the coarse stage looks at the whole knee: at half the fine resolution it has 1/8 of the voxels,
# and nothing finer is needed to find a region that gets a margin of millimetres anyway
COARSE_OVER_FINE = 2.0
COARSE_STEP = 1.02  # the search makes the grid 2 % coarser a step


def fine_spacing(cases: Sequence[CaseFingerprint]) -> Float3:
    """Returns the spacing (z, y, x) of the fine stage in mm.

    The median over the cases per axis. An axis more than three times coarser than both others takes
    its 10th percentile instead, but never becomes finer than them (nnU-Net's anisotropy rule;
    Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).
    """
    spacings = np.array([case.spacing_mm for case in cases], dtype=float)
    chosen = np.median(spacings, axis=0)
    worst = int(np.argmax(chosen))
    finest_allowed = float(np.delete(chosen, worst).max())
    if chosen[worst] > ANISOTROPIC * finest_allowed:
        chosen[worst] = max(np.percentile(spacings[:, worst], ANISOTROPIC_PERCENTILE), finest_allowed)
    # five digits: headers differ in the seventh, and a plan should be readable
    return three(float(f"{value:.5g}") for value in chosen)


def median_extent(cases: Sequence[CaseFingerprint]) -> Float3:
    """Returns the median edge lengths (z, y, x) of the images in mm, axis by axis."""
    return three(median(case.shape_zyx[k] * case.spacing_mm[k] for case in cases) for k in range(3))


def coarse_spacing(fine_mm: Float3, fits: Callable[[Float3], bool], one_patch: bool) -> Float3 | None:
    """Returns the finest allowed spacing (z, y, x) of the coarse stage in mm.

    The spacing is isotropic as far as possible; an axis is twice as coarse as in the fine stage at
    least, except one whose slices are thicker than the others' coarse spacing: it stays as it is.

    Args:
        fine_mm: spacing of the fine stage.
        fits: whether the whole median image at a spacing is small enough to be one patch.
        one_patch: the image fits one fine patch: then the coarse stage is as fine as the fine one,
            where that fits too. There is nothing to gain from looking at less.

    Returns:
        None where nothing up to a hundred times the fine spacing fits.
    """
    isotropic = min(fine_mm)
    if one_patch and fits(fine_mm):
        return fine_mm
    while isotropic < 100 * max(fine_mm):
        candidate = coarsened(fine_mm, isotropic)
        if fits(candidate):
            return candidate
        isotropic *= COARSE_STEP
    return None


def coarsened(fine_mm: Float3, isotropic_mm: float) -> Float3:
    """Returns the coarse spacing with `isotropic_mm` where the axes allow it."""
    wanted = [max(isotropic_mm, COARSE_OVER_FINE * value) for value in fine_mm]
    chosen = list(wanted)
    for k, value in enumerate(fine_mm):
        others = max(wanted[j] for j in range(3) if j != k)
        if value >= others:
            chosen[k] = value
    # rounded up, so that it never is finer than allowed
    return three(float(np.ceil(value * 1000 - 1e-6) / 1000) for value in chosen)


def shape_at(extent_mm: Float3, spacing_mm: Float3) -> Int3:
    """Returns the voxels (z, y, x) of an image of these edge lengths at a spacing, at least 1."""
    z, y, x = (max(1, round(e / s)) for e, s in zip(extent_mm, spacing_mm, strict=True))
    return (z, y, x)


def three(values: object) -> Float3:
    """Returns three numbers as a tuple (z, y, x) of floats."""
    z, y, x = (float(value) for value in values)  # type: ignore[attr-defined]
    return (z, y, x)
