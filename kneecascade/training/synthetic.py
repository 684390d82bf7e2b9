"""Training patches painted from maps of tissues instead of cut from images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from kneecascade.core.geometry import Float3, Int3
from kneecascade.training.augment import Augmentation, change_intensities
from kneecascade.training.paint import Painting, paint, wear
from kneecascade.training.spatial import affine_matrix, allowed_turns, cut_centre, resample_nearest

TISSUE_STEP = 16
"""Tissue and class share a byte while they are moved: class times this, plus tissue."""
CUTS = (0.6, 0.8, 1.0)
"""What a field of view keeps of an axis; few, since a CPU prepares itself for every shape."""

STRONG = Augmentation(
    noise=0.3, rician=0.2, blur=0.1, low_resolution=0.2, bias_field=0.7, bias=(0.05, 0.4), gammas=(0.6, 1.6)
)
"""What happens to a painted image: more than to a real one."""


@dataclass(frozen=True)
class Deformation:
    """How maps of tissues are moved.

    Attributes:
        share: of samples that are turned, scaled and bent.
        degrees: largest turn about each axis.
        scales: range of the size; each axis draws its own.
        elastic_mm: wavelengths and largest standard deviations of the elastic displacement.
        cut_share: of batches whose field of view is cut.
    """

    share: float = 0.8
    degrees: float = 15.0
    scales: tuple[float, float] = (0.85, 1.18)
    elastic_mm: tuple[tuple[float, float], ...] = ((40.0, 2.0), (16.0, 0.7))
    cut_share: float = 0.0


@dataclass(frozen=True)
class SyntheticAugmenter:
    """Turns source patches of tissues into painted training patches.

    Attributes:
        strength: what happens to a painted image.
        painting: how images are painted.
        patch_shape_zyx: shape of the result where no field of view is cut; sources are larger.
        spacing_mm: of the grid.
        mirror_axes: axes (0 z, 1 y, 2 x) that may be mirrored.
        deformation: how maps are moved.
    """

    strength: Augmentation
    painting: Painting
    patch_shape_zyx: Int3
    spacing_mm: Float3
    mirror_axes: tuple[int, ...]
    deformation: Deformation = Deformation()

    def __call__(
        self, image: torch.Tensor, labels: torch.Tensor, seed: tuple[int, ...]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Moves and paints a batch.

        Args:
            image: (N, 1, Z, Y, X), positions in `contrasts.TISSUES`.
            labels: uint8 (N, Z, Y, X), at most 15 classes.
            seed: of this step; the same seed gives the same result on the same kind of device.

        Returns:
            image: float32 (N, 1, *patch), or of a smaller field of view.
            labels: uint8 (N, *patch), likewise.
        """
        draw = np.random.default_rng(seed)
        generator = _generator(image.device, draw)
        shape = self._shape(draw)
        images = image.new_empty((len(image), 1, *shape), dtype=torch.float32)
        found = labels.new_empty((len(labels), *shape))
        for k in range(len(image)):
            tissue, kept = self._move(image[k, 0], labels[k], shape, draw, generator)
            tissue, kept = wear(tissue, kept, self.spacing_mm, draw, generator, self.painting)
            painted = paint(tissue, self.spacing_mm, draw, generator, self.painting)
            images[k] = change_intensities(painted, self.strength, self.spacing_mm, draw, generator)
            found[k] = kept
        return images, found

    def paint_whole(self, image: torch.Tensor, seed: tuple[int, ...]) -> torch.Tensor:
        """Paints whole maps (N, 1, Z, Y, X), nothing moved; float32 of the same shape."""
        draw = np.random.default_rng(seed)
        generator = _generator(image.device, draw)
        return torch.stack(
            [paint(one[0].byte(), self.spacing_mm, draw, generator, self.painting) for one in image]
        )

    def _shape(self, draw: np.random.Generator) -> Int3:
        """Returns the field of view of a batch."""
        if draw.random() >= self.deformation.cut_share:
            return self.patch_shape_zyx
        z, y, x = (max(1, round(n * float(draw.choice(CUTS)))) for n in self.patch_shape_zyx)
        return (z, y, x)

    def _move(
        self,
        tissue: torch.Tensor,
        labels: torch.Tensor,
        shape: Int3,
        draw: np.random.Generator,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        both = labels * TISSUE_STEP + tissue.to(labels.dtype)
        if any(a < b for a, b in zip(shape, self.patch_shape_zyx, strict=True)):
            both = _cut_somewhere(both, self.patch_shape_zyx, shape, draw)
        if draw.random() < self.deformation.share:
            matrix, moved = self._matrix(draw), self._bending(shape, draw, generator)
            both = resample_nearest(both, matrix, shape, moved)
        else:
            both = cut_centre(both, shape)
        axes = [axis for axis in self.mirror_axes if draw.random() < self.strength.mirror]
        both = both.flip(axes) if axes else both
        return both % TISSUE_STEP, both // TISSUE_STEP

    def _matrix(self, draw: np.random.Generator) -> np.ndarray:
        d = self.deformation
        a, b, c = (
            np.deg2rad(d.degrees) * draw.uniform(-1, 1) * free for free in allowed_turns(self.spacing_mm)
        )
        size = draw.uniform(*np.log(d.scales))
        z, y, x = (float(np.exp(size + draw.uniform(-0.06, 0.06))) for _ in range(3))
        return affine_matrix((a, b, c), (z, y, x), self.spacing_mm)

    def _bending(self, shape: Int3, draw: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        """Returns displacements in voxels, float32 (3, *shape)."""
        device, total = generator.device, torch.zeros((), device=generator.device)
        spacing = torch.tensor(self.spacing_mm, device=device).view(1, 3, 1, 1, 1)
        for wavelength, most_mm in self.deformation.elastic_mm:
            sizes = zip(shape, self.spacing_mm, strict=True)
            knots = [max(2, round(n * mm / wavelength) + 1) for n, mm in sizes]
            field = torch.randn((1, 3, *knots), generator=generator, device=device)
            field = field * (draw.uniform(0, most_mm) / spacing)
            total = total + functional.interpolate(field, size=shape, mode="trilinear", align_corners=True)[0]
        return total


def _cut_somewhere(both: torch.Tensor, patch: Int3, shape: Int3, draw: np.random.Generator) -> torch.Tensor:
    """Moves the middle of the map so that the cut field of view lies anywhere in the patch."""
    for axis, (whole, part) in enumerate(zip(patch, shape, strict=True)):
        free = int(draw.integers(0, whole - part + 1))
        both = both.narrow(axis, free, both.shape[axis] - (whole - part))
    return both


def _generator(device: torch.device, draw: np.random.Generator) -> torch.Generator:
    generator = torch.Generator(device)
    generator.manual_seed(int(draw.integers(2**62)))
    return generator
