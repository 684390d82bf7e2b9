"""Changes of grey values that augmentation makes to one sample."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from kneecascade.core.geometry import Int3


def add_noise(image: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Adds Gaussian noise; `image` is (C, Z, Y, X) here and below."""
    return image.add(_normal(image, generator), alpha=sigma)


def add_rician_noise(image: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Makes the noise of a magnitude image, whose darkest voxel stands for zero signal."""
    floor = image.amin()
    real = (image - floor).add_(_normal(image, generator), alpha=sigma)
    imaginary = _normal(image, generator).mul_(sigma)
    return torch.hypot(real, imaginary).add_(floor)


def blur(image: torch.Tensor, sigma_voxels: float) -> torch.Tensor:
    """Convolves with a Gaussian, axis by axis; the edge is repeated outwards."""
    radius = max(1, math.ceil(2.5 * sigma_voxels))
    taps = [math.exp(-0.5 * (k / sigma_voxels) ** 2) for k in range(radius + 1)]
    total = taps[0] + 2 * sum(taps[1:])
    for axis in (1, 2, 3):
        size = image.shape[axis]
        if size == 1:
            continue
        padded = _repeat_edge(image, axis, radius)
        image = padded.narrow(axis, radius, size) * (taps[0] / total)
        for k in range(1, radius + 1):
            image.add_(padded.narrow(axis, radius - k, size), alpha=taps[k] / total)
            image.add_(padded.narrow(axis, radius + k, size), alpha=taps[k] / total)
    return image


def brighten(image: torch.Tensor, offset: float) -> torch.Tensor:
    """Adds a constant."""
    return image + offset


def change_contrast(image: torch.Tensor, factor: float) -> torch.Tensor:
    """Scales the distances from the mean."""
    mean = image.mean()
    return (image - mean).mul_(factor).add_(mean)


def change_gamma(image: torch.Tensor, gamma: float, inverted: bool) -> torch.Tensor:
    """Raises grey values, scaled to 0..1, to a power; mean and standard deviation stay.

    With `inverted` the bright end is stretched instead of the dark one. A constant image stays.
    """
    low, high = image.amin(), image.amax()
    span = (high - low).clamp(min=1e-6)
    unit = (high - image) / span if inverted else (image - low) / span
    bent = unit.clamp_(0, 1).pow_(gamma)
    if inverted:
        bent.neg_()
    scale = image.std() / bent.std().clamp(min=1e-6)
    return (bent - bent.mean()).mul_(scale).add_(image.mean())


def lower_resolution(image: torch.Tensor, factor: float, axes: tuple[bool, bool, bool]) -> torch.Tensor:
    """Samples the chosen axes `factor` times coarser, then back, linearly."""
    full = tuple(image.shape[1:])
    small = [max(1, round(n / factor)) if chosen else n for n, chosen in zip(full, axes, strict=True)]
    coarse = functional.interpolate(image[None], size=small, mode="nearest-exact")
    return functional.interpolate(coarse, size=full, mode="trilinear", align_corners=False)[0]


def apply_bias_field(image: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Multiplies the signal over the darkest voxel by a smooth random field around 1."""
    knots: Int3 = (4, 4, 4)
    log_field = torch.randn((1, 1, *knots), generator=generator, device=image.device) * strength
    size = tuple(image.shape[1:])
    smooth = functional.interpolate(log_field, size=size, mode="trilinear", align_corners=True)
    floor = image.amin()
    return (image - floor).mul_(smooth[0].exp_()).add_(floor)


def _normal(image: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(image.shape, generator=generator, device=image.device, dtype=image.dtype)


def _repeat_edge(image: torch.Tensor, axis: int, radius: int) -> torch.Tensor:
    first, last = image.narrow(axis, 0, 1), image.narrow(axis, image.shape[axis] - 1, 1)
    shape = list(image.shape)
    shape[axis] = radius
    return torch.cat([first.expand(shape), image, last.expand(shape)], dim=axis)
