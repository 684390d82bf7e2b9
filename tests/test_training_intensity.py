import math

import pytest
import torch

from kneecascade.training import intensity


@pytest.fixture
def image():
    return torch.randn(2, 12, 14, 16, generator=torch.Generator().manual_seed(1))


def generator():
    return torch.Generator().manual_seed(2)


def test_noise_has_the_sigma(image):
    added = intensity.add_noise(image, 0.5, generator()) - image
    assert added.std() == pytest.approx(0.5, rel=0.05)


def test_rician_noise_raises_what_is_dark_and_keeps_the_floor(image):
    flat = torch.full((1, 30, 30, 30), -1.0)
    flat[..., 0] = 9.0
    noisy = intensity.add_rician_noise(flat, 0.5, generator())
    assert noisy.min() >= -1.0
    dark = noisy[..., 1:] + 1.0
    # Rayleigh distribution: mean sigma sqrt(pi / 2)
    assert dark.mean() == pytest.approx(0.5 * math.sqrt(math.pi / 2), rel=0.02)
    assert noisy[..., 0].mean() == pytest.approx(9.0, abs=0.1)


def test_blur_keeps_constants_and_spreads_a_point():
    assert torch.allclose(intensity.blur(torch.ones(1, 5, 6, 7), 0.8), torch.ones(1, 5, 6, 7))
    point = torch.zeros(1, 15, 15, 15)
    point[0, 7, 7, 7] = 1.0
    spread = intensity.blur(point, 1.0)
    assert spread.sum() == pytest.approx(1.0, abs=1e-5)
    offsets = torch.arange(15.0) - 7
    assert (spread.sum((0, 2, 3)) * offsets**2).sum() == pytest.approx(1.0, rel=0.1)
    assert intensity.blur(torch.rand(1, 1, 4, 4), 0.5).shape == (1, 1, 4, 4)


def test_contrast_and_brightness(image):
    assert intensity.brighten(image, 0.25).mean() == pytest.approx(float(image.mean()) + 0.25, abs=1e-5)
    changed = intensity.change_contrast(image, 1.2)
    assert changed.mean() == pytest.approx(float(image.mean()), abs=1e-5)
    assert changed.std() == pytest.approx(1.2 * float(image.std()), rel=1e-4)


@pytest.mark.parametrize("inverted", [False, True])
def test_gamma_keeps_order_mean_and_deviation(image, inverted):
    changed = intensity.change_gamma(image, 1.4, inverted)
    assert changed.mean() == pytest.approx(float(image.mean()), abs=1e-4)
    assert changed.std() == pytest.approx(float(image.std()), rel=1e-3)
    order = image.flatten().argsort()
    assert (changed.flatten()[order].diff() >= -1e-6).all()
    assert not torch.allclose(changed, image, atol=1e-2)


def test_gamma_leaves_a_constant_finite():
    assert torch.isfinite(intensity.change_gamma(torch.zeros(1, 3, 3, 3), 1.3, False)).all()


def test_lower_resolution_smooths_only_the_chosen_axes(image):
    changed = intensity.lower_resolution(image, 2.0, (False, True, True))
    assert changed.shape == image.shape
    assert changed.std() < 0.9 * image.std()
    along_z = torch.arange(12.0)[None, :, None, None].expand(1, 12, 8, 8).contiguous()
    assert torch.allclose(intensity.lower_resolution(along_z, 2.0, (False, True, True)), along_z)


def test_bias_field_is_smooth_and_keeps_the_floor():
    flat = torch.ones(1, 20, 20, 20)
    flat[0, 0, 0, 0] = 0.0
    field = intensity.apply_bias_field(flat, 0.1, generator())
    assert field[0, 0, 0, 0] == 0.0
    assert field.std() > 0.02
    assert field[0, 1:].diff(dim=0).abs().max() < 0.1
