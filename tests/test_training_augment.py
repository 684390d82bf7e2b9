from dataclasses import replace

import numpy as np
import pytest
import torch

from kneecascade.training.augment import NO_AUGMENTATION, Augmentation, Augmenter
from kneecascade.training.spatial import cut_centre

PATCH = (10, 12, 8)
SOURCE = (12, 16, 10)


def batch():
    draw = np.random.default_rng(0)
    image = torch.from_numpy(draw.standard_normal((3, 2, *SOURCE)).astype(np.float16))
    return image, torch.from_numpy(draw.integers(0, 3, (3, *SOURCE)).astype(np.uint8))


def augmenter(strength, spacing=(1.0, 1.0, 1.0), axes=(0, 1, 2)):
    return Augmenter(strength, PATCH, spacing, axes)


def test_nothing_happens_without_probabilities():
    image, labels = batch()
    moved, kept = augmenter(NO_AUGMENTATION)(image, labels, (0, 0))
    assert torch.equal(moved, cut_centre(image, PATCH).float())
    assert torch.equal(kept, cut_centre(labels, PATCH))


def test_same_seed_same_result_other_seed_another():
    image, labels = batch()
    strong = Augmentation(*([1.0] * 12))
    first, second, third = (augmenter(strong)(image, labels, (0, seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], third[0])
    assert torch.isfinite(first[0]).all()
    assert first[0].shape == (3, 2, *PATCH)
    assert first[0].dtype == torch.float32
    assert first[1].dtype == torch.uint8


def test_geometry_is_that_of_the_labels():
    labels = torch.zeros(4, 20, 24, 18, dtype=torch.uint8)
    labels[:, 6:13, 5:14, 8:15] = 1
    geometry = replace(NO_AUGMENTATION, rotation=1.0, scaling=1.0, mirror=0.5)
    shape = (16, 20, 14)
    moved, kept = Augmenter(geometry, shape, (1.2, 1.0, 1.0), (0, 1, 2))(labels[:, None].half(), labels, (3,))
    assert not torch.equal(kept, cut_centre(labels, shape))
    assert ((moved[:, 0] > 0.5) == (kept == 1)).float().mean() > 0.97


@pytest.mark.parametrize("axes", [(), (0,), (1, 2)])
def test_only_the_plans_axes_are_mirrored(axes):
    ramp = torch.stack(torch.meshgrid(*(torch.arange(float(n)) for n in PATCH), indexing="ij")).half()[None]
    labels = torch.zeros(1, *PATCH, dtype=torch.uint8)
    always = replace(NO_AUGMENTATION, mirror=1.0)
    moved, _ = Augmenter(always, PATCH, (1.0,) * 3, axes)(ramp, labels, (0,))
    for axis in range(3):
        runs_up = bool((moved[0, axis].diff(dim=axis) > 0).all())
        assert runs_up == (axis not in axes)


def test_how_often_things_happen():
    labels = torch.zeros(400, 3, 3, 3, dtype=torch.uint8)
    image = torch.zeros(400, 1, 3, 3, 3, dtype=torch.float16)
    sometimes = replace(NO_AUGMENTATION, brightness=0.3)
    moved, _ = Augmenter(sometimes, (3, 3, 3), (1.0,) * 3, ())(image, labels, (5,))
    share = (moved.flatten(1).abs().amax(1) > 0).float().mean()
    assert share == pytest.approx(0.3, abs=0.07)
