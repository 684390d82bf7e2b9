"""Maps of tissues are bent, cut, and stay one with their labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kneecascade.cli.train_synthetic import SEQUENCES as offered
from kneecascade.training.augment import NO_AUGMENTATION
from kneecascade.training.contrasts import SEQUENCES, TISSUES, USUAL_SHARES, draw_contrast, guessed_scale
from kneecascade.training.paint import Painting, paint
from kneecascade.training.spatial import affine_matrix, resample_nearest
from kneecascade.training.synthetic import Deformation, SyntheticAugmenter

ONE_MM = (1.0, 1.0, 1.0)
PATCH = (16, 20, 24)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.zeros((2, 20, 24, 28), dtype=torch.uint8)
    labels[:, 6:14, 8:16, 10:18] = 2
    tissue = torch.where(labels > 0, TISSUES.index("cartilage"), TISSUES.index("muscle"))
    return tissue[:, None].half(), labels


def augmenter(deformation: Deformation) -> SyntheticAugmenter:
    painting = Painting(texture=0.0, thick_share=0.0, worn_share=0.0, guessed_share=0.0)
    return SyntheticAugmenter(NO_AUGMENTATION, painting, PATCH, ONE_MM, (), deformation)


def test_fields_of_view_are_cut_in_a_few_shapes() -> None:
    cut = augmenter(Deformation(share=0.5, cut_share=1.0))
    shapes = set()
    for step in range(12):
        image, labels = cut(*batch(), (0, step))
        assert image.shape == (2, 1, *labels.shape[1:])
        assert all(0.6 * a - 1 <= b <= a for a, b in zip(PATCH, labels.shape[1:], strict=True))
        shapes.add(tuple(labels.shape[1:]))
    assert 3 < len(shapes) <= 27


def test_nothing_is_cut_or_bent_without_a_share() -> None:
    plain = augmenter(Deformation(share=0.0))
    _, labels = plain(*batch(), (0, 0))
    assert torch.equal(labels, batch()[1][:, 2:18, 2:22, 2:26])


def test_bending_changes_shape_and_image_follows() -> None:
    bent = augmenter(Deformation(share=1.0, degrees=0.0, scales=(1.0, 1.0001), elastic_mm=((10.0, 6.0),)))
    image, labels = bent(*batch(), (0, 3))
    assert not torch.equal(labels, batch()[1][:, 2:18, 2:22, 2:26])
    for one, kept in zip(image, labels, strict=True):
        inside, outside = one[0][kept == 2], one[0][kept == 0]
        assert abs(float(inside.median() - outside.median())) > 3 * float(outside.abs().std()) / 10


def test_displacements_are_in_voxels_of_the_source() -> None:
    labels = batch()[1][0]
    moved = torch.zeros((3, *PATCH))
    moved[2] = 2.0
    identity = affine_matrix((0.0, 0.0, 0.0), ONE_MM, ONE_MM)
    still, shifted = (resample_nearest(labels, identity, PATCH, by) for by in (None, moved))
    assert torch.equal(shifted[:, :, :-2], still[:, :, 2:])


def test_the_command_knows_every_sequence() -> None:
    assert tuple(sorted(SEQUENCES)) == offered


def test_only_the_contrasts_asked_for_are_painted() -> None:
    tissue = torch.tensor([TISSUES.index("marrow"), TISSUES.index("fluid")]).repeat_interleave(4)
    tissue = tissue.to(torch.uint8).view(8, 1, 1).expand(8, 8, 8)
    brighter = []
    for seed in range(8):
        painting = Painting(sequences=("T1",), texture=0.0, thick_share=0.0)
        image = paint(
            tissue, ONE_MM, np.random.default_rng(seed), torch.Generator().manual_seed(seed), painting
        )
        brighter.append(bool(image[0, 0].mean() > image[0, -1].mean()))
    assert all(brighter)  # marrow over fluid, as in T1 and few others


def test_a_whole_scans_scale_is_guessed() -> None:
    assert sum(USUAL_SHARES) == pytest.approx(1, abs=0.1)
    draw = np.random.default_rng(0)
    grey = draw_contrast(draw, "DESS")
    mean, sd = np.mean([guessed_scale(grey, draw) for _ in range(50)], axis=0)
    assert 0.1 < mean < 0.4
    assert 0.05 < sd < 0.4
