"""Augmentation of a batch on the training device; every draw comes from the step's own generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kneecascade.core.geometry import Float3, Int3
from kneecascade.training import intensity
from kneecascade.training.spatial import affine_matrix, allowed_turns, cut_centre, resample_affine

Range = tuple[float, float]


@dataclass(frozen=True)
class Augmentation:
    """Probabilities per sample and ranges of each change; grey values are z-scores.

    Attributes:
        rotation: probability of a turn, about each axis by up to `degrees`.
        scaling: probability of a scaling by a factor from `scales`.
        mirror: probability of mirroring, for each axis that may be mirrored.
        noise: Gaussian noise with a sigma from `noise_sigmas`.
        rician: Rician noise with a sigma from `rician_sigmas`.
        blur: Gaussian blur with a sigma from `blur_voxels`.
        brightness: a constant from `offsets` added.
        contrast: distances from the mean scaled by a factor from `factors`.
        gamma: power from `gammas` of the values scaled to 0..1.
        inverted_gamma: the same from the bright end.
        low_resolution: sampled coarser by a factor from `coarser`, then back.
        bias_field: multiplied by exp of a smooth field of a strength from `bias`.
    """

    rotation: float = 0.4
    scaling: float = 0.4
    mirror: float = 0.5
    noise: float = 0.2
    rician: float = 0.1
    blur: float = 0.15
    brightness: float = 0.2
    contrast: float = 0.2
    gamma: float = 0.3
    inverted_gamma: float = 0.1
    low_resolution: float = 0.15
    bias_field: float = 0.2
    degrees: float = 15.0
    scales: Range = (0.8, 1.25)
    noise_sigmas: Range = (0.0, 0.25)
    rician_sigmas: Range = (0.0, 0.2)
    blur_voxels: Range = (0.4, 1.0)
    offsets: Range = (-0.3, 0.3)
    factors: Range = (0.75, 1.25)
    gammas: Range = (0.7, 1.5)
    coarser: Range = (1.2, 2.0)
    bias: Range = (0.05, 0.3)


NO_AUGMENTATION = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Augmenter:
    """Turns source patches into training patches.

    Attributes:
        strength: what happens how often.
        patch_shape_zyx: shape of the result; sources are larger.
        spacing_mm: of the grid.
        mirror_axes: axes (0 z, 1 y, 2 x) that may be mirrored.
    """

    strength: Augmentation
    patch_shape_zyx: Int3
    spacing_mm: Float3
    mirror_axes: tuple[int, ...]

    def __call__(
        self, image: torch.Tensor, labels: torch.Tensor, seed: tuple[int, ...]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Augments a batch.

        Args:
            image: (N, C, Z, Y, X) of any float type, at least as large as the patch.
            labels: uint8 (N, Z, Y, X).
            seed: of this step; the same seed gives the same result on the same kind of device.

        Returns:
            image: float32 (N, C, *patch).
            labels: uint8 (N, *patch).
        """
        draw = np.random.default_rng(seed)
        generator = torch.Generator(image.device)
        generator.manual_seed(int(draw.integers(2**62)))
        images = image.new_empty((*image.shape[:2], *self.patch_shape_zyx), dtype=torch.float32)
        found = labels.new_empty((len(labels), *self.patch_shape_zyx))
        for k in range(len(image)):
            moved, kept = self._move(image[k], labels[k], draw)
            images[k] = change_intensities(moved, self.strength, self.spacing_mm, draw, generator)
            found[k] = kept
        return images, found

    def _move(
        self, image: torch.Tensor, labels: torch.Tensor, draw: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        strength, shape = self.strength, self.patch_shape_zyx
        matrix = draw_matrix(strength, self.spacing_mm, draw)
        if matrix is None:
            image, labels = cut_centre(image, shape).float(), cut_centre(labels, shape)
        else:
            image, labels = resample_affine(image.float(), labels, matrix, shape)
        axes = [axis for axis in self.mirror_axes if draw.random() < strength.mirror]
        if axes:
            image, labels = image.flip([a + 1 for a in axes]), labels.flip(axes)
        return image, labels


def draw_matrix(strength: Augmentation, spacing_mm: Float3, draw: np.random.Generator) -> np.ndarray | None:
    """Draws a turn and a scaling; None where the sample has neither."""
    turned, scaled = draw.random() < strength.rotation, draw.random() < strength.scaling
    if not turned and not scaled:
        return None
    limit = np.deg2rad(strength.degrees) if turned else 0.0
    a, b, c = (limit * draw.uniform(-1, 1) * free for free in allowed_turns(spacing_mm))
    scale = _log_uniform(draw, strength.scales) if scaled else 1.0
    return affine_matrix((a, b, c), (scale, scale, scale), spacing_mm)


def change_intensities(
    image: torch.Tensor,
    strength: Augmentation,
    spacing_mm: Float3,
    draw: np.random.Generator,
    generator: torch.Generator,
) -> torch.Tensor:
    """Applies each change to (C, Z, Y, X) with its probability; all channels change alike."""
    s = strength
    if draw.random() < s.bias_field:
        image = intensity.apply_bias_field(image, draw.uniform(*s.bias), generator)
    if draw.random() < s.blur:
        image = intensity.blur(image, draw.uniform(*s.blur_voxels))
    if draw.random() < s.low_resolution:
        finest = min(spacing_mm)
        a, b, c = (spacing < 2 * finest for spacing in spacing_mm)
        image = intensity.lower_resolution(image, draw.uniform(*s.coarser), (a, b, c))
    if draw.random() < s.rician:
        image = intensity.add_rician_noise(image, draw.uniform(*s.rician_sigmas), generator)
    if draw.random() < s.noise:
        image = intensity.add_noise(image, draw.uniform(*s.noise_sigmas), generator)
    if draw.random() < s.brightness:
        image = intensity.brighten(image, draw.uniform(*s.offsets))
    if draw.random() < s.contrast:
        image = intensity.change_contrast(image, draw.uniform(*s.factors))
    if draw.random() < s.gamma:
        image = intensity.change_gamma(image, _log_uniform(draw, s.gammas), inverted=False)
    if draw.random() < s.inverted_gamma:
        image = intensity.change_gamma(image, _log_uniform(draw, s.gammas), inverted=True)
    return image


def _log_uniform(draw: np.random.Generator, limits: Range) -> float:
    return float(np.exp(draw.uniform(*np.log(limits))))
