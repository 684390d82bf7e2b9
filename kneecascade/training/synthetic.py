"""Training patches painted from maps of tissues instead of cut from images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kneecascade.core.geometry import Float3, Int3
from kneecascade.training.augment import Augmentation, change_intensities, draw_matrix
from kneecascade.training.paint import Painting, paint, wear
from kneecascade.training.spatial import cut_centre, resample_nearest

TISSUE_STEP = 16
"""Tissue and class share a byte while they are moved: class times this, plus tissue."""


@dataclass(frozen=True)
class SyntheticAugmenter:
    """Turns source patches of tissues into painted training patches.

    Attributes:
        strength: of the moves and of what happens to a painted image.
        painting: how images are painted.
        patch_shape_zyx: shape of the result; sources are larger.
        spacing_mm: of the grid.
        mirror_axes: axes (0 z, 1 y, 2 x) that may be mirrored.
    """

    strength: Augmentation
    painting: Painting
    patch_shape_zyx: Int3
    spacing_mm: Float3
    mirror_axes: tuple[int, ...]

    def __call__(
        self, image: torch.Tensor, labels: torch.Tensor, seed: tuple[int, ...]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Moves and paints a batch.

        Args:
            image: (N, 1, Z, Y, X), positions in `contrasts.TISSUES`.
            labels: uint8 (N, Z, Y, X), at most 15 classes.
            seed: of this step; the same seed gives the same result on the same kind of device.

        Returns:
            image: float32 (N, 1, *patch).
            labels: uint8 (N, *patch).
        """
        draw = np.random.default_rng(seed)
        generator = _generator(image.device, draw)
        images = image.new_empty((len(image), 1, *self.patch_shape_zyx), dtype=torch.float32)
        found = labels.new_empty((len(labels), *self.patch_shape_zyx))
        for k in range(len(image)):
            tissue, kept = self._move(image[k, 0], labels[k], draw)
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

    def _move(
        self, tissue: torch.Tensor, labels: torch.Tensor, draw: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        both = labels * TISSUE_STEP + tissue.to(labels.dtype)
        matrix = draw_matrix(self.strength, self.spacing_mm, draw)
        if matrix is None:
            both = cut_centre(both, self.patch_shape_zyx)
        else:
            both = resample_nearest(both, matrix, self.patch_shape_zyx)
        axes = [axis for axis in self.mirror_axes if draw.random() < self.strength.mirror]
        both = both.flip(axes) if axes else both
        return both % TISSUE_STEP, both // TISSUE_STEP


def _generator(device: torch.device, draw: np.random.Generator) -> torch.Generator:
    generator = torch.Generator(device)
    generator.manual_seed(int(draw.integers(2**62)))
    return generator
