"""Painted images: contrasts, textures, thick slices, worn cartilage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kneecascade.phantom import tissue as constants
from kneecascade.training import contrasts
from kneecascade.training.augment import NO_AUGMENTATION, Augmentation
from kneecascade.training.contrasts import FAT, MARROW, SEQUENCES, TISSUES, draw_contrast
from kneecascade.training.paint import Painting, paint, smooth_noise, thick_slices, wear
from kneecascade.training.synthetic import Deformation, SyntheticAugmenter

ONE_MM = (1.0, 1.0, 1.0)
PLAIN = Painting(
    texture=0.0,
    blur_voxels=(0.2, 0.2),
    thick_share=0.0,
    worn_share=0.0,
    guessed_share=0.0,
    shifts=(0, 0),
    factors=(1, 1.0001),
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layers() -> tuple[torch.Tensor, torch.Tensor]:
    """Marrow below, three voxels of cartilage, fluid above; class 2 is cartilage."""
    tissue = torch.full((12, 10, 10), TISSUES.index("fluid"), dtype=torch.uint8)
    tissue[:5] = TISSUES.index("marrow")
    tissue[5:8] = TISSUES.index("cartilage")
    labels = torch.zeros_like(tissue)
    labels[:5], labels[5:8] = 1, 2
    return tissue, labels


def test_tissues_are_in_the_phantoms_order() -> None:
    for index, name in enumerate(TISSUES):
        assert getattr(constants, name.upper()) == index
    assert all(len(values) == len(TISSUES) for values in SEQUENCES.values())


def test_a_named_sequence_keeps_its_character() -> None:
    fat, fluid = TISSUES.index("fat"), TISSUES.index("fluid")
    draw = np.random.default_rng(0)
    t1 = np.mean([draw_contrast(draw, "T1") for _ in range(50)], axis=0)
    dess = np.mean([draw_contrast(draw, "DESS") for _ in range(50)], axis=0)
    assert t1[fat] > 2 * t1[fluid]
    assert dess[fluid] > 4 * dess[fat]


def test_contrasts_differ_and_come_back_with_their_seed() -> None:
    first = [draw_contrast(np.random.default_rng(k)) for k in range(20)]
    again = [draw_contrast(np.random.default_rng(k)) for k in range(20)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    cartilage_brighter = [values[10] > values[8] for values in first]
    assert 3 < sum(cartilage_brighter) < 20
    assert min(values.min() for values in first) >= 0


def test_fat_is_nearly_as_marrow_in_a_share_of_known_contrasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrasts, "SPREAD", 0.0)
    draw = np.random.default_rng(0)
    ratios = [grey[FAT] / grey[MARROW] for grey in (draw_contrast(draw, "GRE") for _ in range(400))]
    usual = SEQUENCES["GRE"][FAT] / SEQUENCES["GRE"][MARROW]
    alike = [r for r in ratios if not np.isclose(r, usual)]
    assert len(alike) / 400 == pytest.approx(contrasts.ALIKE_SHARE, abs=0.08)
    assert 1.0 <= min(alike) < 1.1
    assert 1.7 < max(alike) <= np.exp(0.6) + 1e-6


def test_fat_is_left_as_it_is_where_marrow_is_bright(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrasts, "SPREAD", 0.0)
    draw = np.random.default_rng(0)
    assert all(np.allclose(draw_contrast(draw, "T1"), SEQUENCES["T1"]) for _ in range(30))


@pytest.mark.parametrize(("sequence", "least", "most"), [("PD-FS", 0.2, 0.7), ("T1", 0.75, 1.35)])
def test_dark_marrow_is_more_even_than_fat(
    sequence: str, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrasts, "SPREAD", 0.0)
    monkeypatch.setattr(contrasts, "ALIKE_SHARE", 0.0)
    painting = replace(PLAIN, texture=0.25)
    unevenness = {FAT: [], MARROW: []}
    for tissue, found in unevenness.items():
        index = torch.full((16, 16, 16), tissue, dtype=torch.uint8)
        index[0] = TISSUES.index("fluid")  # the image's scale does not hang on the texture alone
        for seed in range(12):
            image = paint(index, ONE_MM, np.random.default_rng(seed), generator(seed), painting, sequence)
            found.append(float(image[0, 4:].std()) / SEQUENCES[sequence][tissue])
    assert least < np.median(unevenness[MARROW]) / np.median(unevenness[FAT]) < most


def test_tissues_are_told_apart_in_a_painted_image() -> None:
    tissue, _ = layers()
    image = paint(tissue, ONE_MM, np.random.default_rng(0), generator(), PLAIN, "DESS")
    assert image.shape == (1, 12, 10, 10)
    assert abs(float(image.mean())) < 1e-3
    marrow, cartilage, fluid = (float(image[0, z].mean()) for z in (1, 6, 10))
    assert marrow < cartilage - 0.3 < fluid - 0.6


def test_cartilage_wears_from_its_free_side() -> None:
    tissue, labels = layers()
    always = Painting(worn_share=1.0, worn_layers=1)
    worn, kept = wear(tissue, labels, ONE_MM, np.random.default_rng(3), generator(1), always)
    gone = (labels == 2) & (kept == 0)
    assert 0 < int(gone.sum()) <= 100
    assert set(torch.nonzero(gone)[:, 0].tolist()) == {7}
    assert (worn[gone] != TISSUES.index("cartilage")).all()
    assert torch.equal(kept == 1, labels == 1)
    assert int((labels == 2).sum()) == 300  # the inputs stay as they are


def test_nothing_wears_without_a_share() -> None:
    tissue, labels = layers()
    same = wear(tissue, labels, ONE_MM, np.random.default_rng(0), generator(), Painting(worn_share=0.0))
    assert same[0] is tissue
    assert same[1] is labels


def test_thick_slices_average_along_one_axis() -> None:
    image = torch.zeros(1, 16, 4, 4)
    image[:, ::2] = 1.0
    thick = thick_slices(image, ONE_MM, 0, 4.0)
    assert torch.allclose(thick, torch.full_like(thick, 0.5))
    assert torch.equal(thick_slices(image, ONE_MM, 0, 0.5), image)


def test_noise_is_smooth_at_its_wavelength() -> None:
    field = smooth_noise((40, 40, 40), ONE_MM, 20.0, generator())
    assert float(field.std()) == pytest.approx(1.0, abs=1e-4)
    step = (field[1:] - field[:-1]).std()
    assert float(step) < 0.3


def augmenter(strength: Augmentation, painting: Painting, share: float = 0.8) -> SyntheticAugmenter:
    return SyntheticAugmenter(strength, painting, (8, 8, 8), ONE_MM, (2,), Deformation(share))


def test_a_batch_is_painted_and_its_labels_belong_to_it() -> None:
    tissue, labels = layers()
    image, stack = tissue.half()[None, None].repeat(2, 1, 1, 1, 1), labels[None].repeat(2, 1, 1, 1)
    painted, kept = augmenter(NO_AUGMENTATION, PLAIN, share=0.0)(image, stack, (0, 1))
    assert painted.shape == (2, 1, 8, 8, 8)
    assert torch.equal(kept[0], labels[2:10, 1:9, 1:9])
    within = [painted[0, 0][kept[0] == k].std() for k in (0, 1, 2)]
    assert max(map(float, within)) < 0.4  # each class is nearly one grey
    assert not torch.equal(painted[0], painted[1])


def test_the_same_seed_paints_the_same() -> None:
    tissue, labels = layers()
    batch = (tissue.half()[None, None], labels[None])
    make = augmenter(Augmentation(), Painting())
    first, again, other = make(*batch, (0, 5)), make(*batch, (0, 5)), make(*batch, (0, 6))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert set(first[1].unique().tolist()) <= {0, 1, 2}


def test_whole_maps_are_painted_where_they_lie() -> None:
    tissue, _ = layers()
    whole = augmenter(NO_AUGMENTATION, PLAIN).paint_whole(tissue.float()[None, None], (1,))
    assert whole.shape == (1, 1, 12, 10, 10)
    assert float(whole[0, 0, 1].std()) < 0.2
