"""Images painted over maps of tissues, on the training device, never the same twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from kneecascade.core.geometry import Float3
from kneecascade.training import intensity
from kneecascade.training.contrasts import DARK_MARROW, TISSUES, draw_contrast, guessed_scale

AIR, SYNOVIUM, FLUID, CARTILAGE = (TISSUES.index(name) for name in ("air", "synovium", "fluid", "cartilage"))
MARROW = TISSUES.index("marrow")
SOLID = tuple(TISSUES.index(name) for name in ("marrow", "lesion", "cortex", "cartilage"))


@dataclass(frozen=True)
class Painting:
    """How knees are painted.

    Attributes:
        sequences: the known contrasts to draw from; none given, any contrast.
        texture: largest standard deviation of a tissue's grey value within it, as a share.
        calm: share of it in dark marrow, which is more even than the fat around bones; without fat
            suppression both are as even.
        wavelengths_mm: of the textures.
        blur_voxels: Gaussian standard deviation, for partial volume and the point spread.
        thick_share: share of samples with thick slices along one axis.
        thick_mm: slice thickness of those.
        worn_share: share of samples whose cartilage is worn.
        worn_layers: most voxel layers worn away.
        guessed_share: share of samples scaled by the mean and deviation of an imagined whole scan, not by
            the patch's own.
        shifts: range of what is added to z-scores.
        factors: range of what z-scores are multiplied by.
    """

    sequences: tuple[str, ...] = ()
    texture: float = 0.25
    calm: float = 0.4
    wavelengths_mm: tuple[float, ...] = (20.0, 7.0, 2.5)
    blur_voxels: tuple[float, float] = (0.3, 0.8)
    thick_share: float = 0.35
    thick_mm: tuple[float, float] = (1.5, 4.0)
    worn_share: float = 0.25
    worn_layers: int = 3
    guessed_share: float = 0.7
    shifts: tuple[float, float] = (-0.3, 0.3)
    factors: tuple[float, float] = (0.75, 1.35)


def paint(
    tissue: torch.Tensor,
    spacing_mm: Float3,
    draw: np.random.Generator,
    generator: torch.Generator,
    painting: Painting | None = None,
    sequence: str | None = None,
) -> torch.Tensor:
    """Paints one map.

    Args:
        tissue: integers (Z, Y, X), positions in `contrasts.TISSUES`.
        spacing_mm: (z, y, x).
        draw: for what is drawn once a sample.
        generator: on the device of the map, for fields and noise.
        painting: None for the default.
        sequence: see `contrasts.draw_contrast`.

    Returns:
        float32 (1, Z, Y, X), about z-scores.
    """
    p = painting or Painting()
    device = tissue.device
    index = tissue.long()
    if sequence is None and p.sequences:
        sequence = str(draw.choice(p.sequences))
    contrast = draw_contrast(draw, sequence)
    grey = torch.from_numpy(contrast).to(device)[index]
    for wavelength in p.wavelengths_mm:
        amounts = draw.uniform(0, p.texture, len(TISSUES)) / np.sqrt(len(p.wavelengths_mm))
        if contrast[MARROW] < DARK_MARROW:
            amounts[MARROW] *= p.calm
        strength = torch.from_numpy(amounts.astype(np.float32)).to(device)[index]
        grey = grey * (1 + strength * smooth_noise(tuple(tissue.shape), spacing_mm, wavelength, generator))
    image = grey.clamp_(min=0)[None]
    image = intensity.blur(image, draw.uniform(*p.blur_voxels))
    if draw.random() < p.thick_share:
        image = thick_slices(image, spacing_mm, int(draw.integers(3)), draw.uniform(*p.thick_mm))
    return _scaled(image, contrast, p, draw)


def _scaled(
    image: torch.Tensor, contrast: np.ndarray, painting: Painting, draw: np.random.Generator
) -> torch.Tensor:
    """Returns z-scores by the patch's own mean and deviation, or by an imagined whole scan's."""
    mean, sd = float(image.mean()), float(image.std())
    if draw.random() < painting.guessed_share:
        mean, sd = guessed_scale(contrast, draw)
    factor = float(np.exp(draw.uniform(*np.log(painting.factors))))
    return (image - mean) / max(sd, 1e-6) * factor + float(draw.uniform(*painting.shifts))


def wear(
    tissue: torch.Tensor,
    labels: torch.Tensor,
    spacing_mm: Float3,
    draw: np.random.Generator,
    generator: torch.Generator,
    painting: Painting,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Takes layers of cartilage away where a smooth random field is high; joint fluid takes the place.

    Args:
        tissue: (Z, Y, X), positions in `contrasts.TISSUES`.
        labels: (Z, Y, X), class indices; what is worn becomes background.
        spacing_mm: (z, y, x).
        draw: for what is drawn once a sample.
        generator: on the device of the maps.
        painting: says how much.

    Returns:
        Both maps, worn; the inputs themselves where nothing is.
    """
    if draw.random() >= painting.worn_share:
        return tissue, labels
    tissue, labels = tissue.clone(), labels.clone()
    where = smooth_noise(tuple(tissue.shape), spacing_mm, 15.0, generator) > draw.uniform(-0.3, 1.2)
    filling = FLUID if draw.random() < 0.5 else SYNOVIUM
    for _ in range(int(draw.integers(1, painting.worn_layers + 1))):
        solid = torch.isin(tissue, torch.tensor(SOLID, device=tissue.device, dtype=tissue.dtype))
        open_ = functional.max_pool3d((~solid).float()[None, None], 3, 1, 1)[0, 0] > 0
        gone = (tissue == CARTILAGE) & open_ & where
        tissue[gone] = filling
        labels[gone] = 0
    return tissue, labels


def smooth_noise(
    shape: tuple[int, ...], spacing_mm: Float3, wavelength_mm: float, generator: torch.Generator
) -> torch.Tensor:
    """Returns a random field (Z, Y, X) of mean about 0 and standard deviation about 1."""
    knots = [max(2, round(n * mm / wavelength_mm) + 1) for n, mm in zip(shape, spacing_mm, strict=True)]
    knots = [min(k, n) if n > 1 else 1 for k, n in zip(knots, shape, strict=True)]
    field = torch.randn((1, 1, *knots), generator=generator, device=generator.device)
    smooth = functional.interpolate(field, size=shape, mode="trilinear", align_corners=False)[0, 0]
    # interpolation between knots takes some of the variance away
    return smooth / smooth.std().clamp(min=1e-6)


def thick_slices(image: torch.Tensor, spacing_mm: Float3, axis: int, thick_mm: float) -> torch.Tensor:
    """Averages slices along an axis to a thickness, then interpolates back.

    Args:
        image: (1, Z, Y, X).
        spacing_mm: (z, y, x).
        axis: 0 z, 1 y, 2 x.
        thick_mm: thinner than the voxels changes nothing.
    """
    full = list(image.shape[1:])
    small = list(full)
    small[axis] = max(1, round(full[axis] * spacing_mm[axis] / thick_mm))
    if small[axis] >= full[axis]:
        return image
    slabs = functional.interpolate(image[None], size=small, mode="area")
    return functional.interpolate(slabs, size=full, mode="trilinear", align_corners=False)[0]
