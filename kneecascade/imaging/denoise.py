"""Filters against noise and shading, applied before grey values are normalised.

Median, curvature anisotropic diffusion (Whitaker and Xue 2001, doi:10.1109/ICIP.2001.959074) and N4 (Tustison
et al. 2010, doi:10.1109/TMI.2010.2046908) are SimpleITK's; non-local means (Buades et al. 2005,
doi:10.1109/CVPR.2005.38) is scikit-image's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from kneecascade.core.filters import CurvatureFilter, ImageFilter, MedianFilter, N4Filter, NlmFilter
from kneecascade.core.geometry import Float3

NORMAL_MAD = 0.6745  # the median of |x| where x is normal with standard deviation 1


def denoise(array_czyx: np.ndarray, spacing_mm: Float3, filters: tuple[ImageFilter, ...]) -> np.ndarray:
    """Applies filters one after the other to every channel.

    The same voxels give the same result whatever the number of threads.

    Args:
        array_czyx: (C, Z, Y, X), finite.
        spacing_mm: (z, y, x) of the voxels.
        filters: in their order; none leaves the image as it is.

    Returns:
        float32 (C, Z, Y, X). A channel of constant value stays as it is.
    """
    if not filters:
        return array_czyx
    return np.stack([_channel(channel, spacing_mm, filters) for channel in array_czyx])


def noise_sigma(array_zyx: np.ndarray) -> float:
    """Estimates the standard deviation of the noise, from how voxels differ from their neighbours' mean.

    The median of the absolute pseudo-residuals, (x - mean of its neighbours along both axes of the
    slice) scaled to the variance of white noise: after Gasser et al. 1986, doi:10.1093/biomet/73.3.625.
    Most voxels lie on no edge, and the median does not see those that do. 0 for fewer than 3 voxels a row.
    """
    if min(array_zyx.shape[1:]) < 3:
        return 0.0
    middle = array_zyx[:, 1:-1, 1:-1]
    around = (
        array_zyx[:, :-2, 1:-1] + array_zyx[:, 2:, 1:-1] + array_zyx[:, 1:-1, :-2] + array_zyx[:, 1:-1, 2:]
    )
    residual = np.sqrt(4 / 5) * np.abs(middle - around / 4)
    return float(np.median(residual)) / NORMAL_MAD


def _channel(channel: np.ndarray, spacing_mm: Float3, filters: tuple[ImageFilter, ...]) -> np.ndarray:
    channel = np.ascontiguousarray(channel, dtype=np.float32)
    if channel.min() == channel.max():
        return channel
    for chosen in filters:
        match chosen:
            case MedianFilter():
                channel = _median(channel, chosen)
            case CurvatureFilter():
                channel = _curvature(channel, spacing_mm, chosen)
            case NlmFilter():
                channel = _non_local_means(channel, chosen)
            case N4Filter():
                channel = _n4(channel, spacing_mm, chosen)
    return channel


def _median(channel: np.ndarray, chosen: MedianFilter) -> np.ndarray:
    radius = [min(chosen.radius_voxels, n - 1) for n in channel.shape[::-1]]
    return sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(channel), radius))


def _curvature(channel: np.ndarray, spacing_mm: Float3, chosen: CurvatureFilter) -> np.ndarray:
    # in units of the finest spacing the stable time step is the same for every grid
    image = _image(channel, spacing_mm, min(spacing_mm))
    smooth = sitk.CurvatureAnisotropicDiffusion(
        image,
        timeStep=chosen.time_step,
        conductanceParameter=chosen.conductance,
        numberOfIterations=chosen.iterations,
    )
    return sitk.GetArrayFromImage(smooth)


def _non_local_means(channel: np.ndarray, chosen: NlmFilter) -> np.ndarray:
    from skimage.restoration import denoise_nl_means

    sigma = noise_sigma(channel)
    if sigma == 0:
        return channel
    # a single slice would lose its axis
    whole = channel if len(channel) > 1 else np.repeat(channel, 2, axis=0)
    smooth = denoise_nl_means(
        whole,
        patch_size=chosen.patch_voxels,
        patch_distance=chosen.distance_voxels,
        h=chosen.strength * sigma,
        sigma=sigma,
        fast_mode=True,
        preserve_range=True,
    )
    return smooth[: len(channel)].astype(np.float32)


def _n4(channel: np.ndarray, spacing_mm: Float3, chosen: N4Filter) -> np.ndarray:
    """Divides by the field that N4 finds on a coarser grid, where it takes seconds instead of minutes."""
    lowest = min(0.0, float(channel.min()))
    image = _image(channel - lowest, spacing_mm)
    factors = [max(1, round(chosen.spacing_mm / mm)) for mm in spacing_mm[::-1]]
    factors = [min(factor, max(1, n // 4)) for factor, n in zip(factors, channel.shape[::-1], strict=True)]
    small = sitk.Shrink(image, factors)
    if min(small.GetSize()) < 4:
        return channel  # too few voxels for a cubic spline
    bright = sitk.OtsuThreshold(small, 0, 1)
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations([chosen.iterations] * chosen.levels)
    with _one_thread():  # sums over threads would differ in the last digits, and the fit with them
        corrector.Execute(small, bright)
        field = sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(image))
    return ((channel - lowest) / np.exp(field) + lowest).astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    # N4's inner filters ask the global setting, not the filter's own
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _image(channel: np.ndarray, spacing_mm: Float3, unit: float = 1.0) -> sitk.Image:
    image = sitk.GetImageFromArray(channel)
    image.SetSpacing([float(mm) / unit for mm in spacing_mm[::-1]])
    return image
