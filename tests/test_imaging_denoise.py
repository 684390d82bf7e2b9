"""kneecascade.imaging.denoise and kneecascade.core.filters."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from kneecascade.core.filters import FILTERS, CurvatureFilter, ImageFilter, MedianFilter, N4Filter, NlmFilter
from kneecascade.imaging.denoise import denoise, noise_sigma

MM = (0.5, 0.5, 1.0)
SHAPE = (24, 32, 20)
CLEAN = np.where(np.indices(SHAPE)[1] < 16, 40.0, 200.0).astype(np.float32)
NOISE = [MedianFilter(), CurvatureFilter(), NlmFilter()]


def noisy(seed: int = 0, sigma: float = 8.0) -> np.ndarray:
    grain = np.random.default_rng(seed).normal(0, sigma, SHAPE)
    return (CLEAN + grain).astype(np.float32)[None]


def shaded() -> np.ndarray:
    ramp = np.exp(0.5 * np.indices(SHAPE)[0] / SHAPE[0])
    return (noisy(sigma=2.0) * ramp).astype(np.float32)


@pytest.mark.parametrize("chosen", NOISE, ids=lambda f: f.kind)
def test_noise_falls_and_edges_stay(chosen: ImageFilter) -> None:
    before = noisy()
    after = denoise(before, MM, (chosen,))
    assert after.dtype == np.float32
    assert after.shape == before.shape
    flat = (slice(2, -2), slice(2, 12), slice(2, -2))
    assert after[0][flat].std() < 0.6 * before[0][flat].std()
    steps = np.abs(np.diff(after[0].mean(axis=(0, 2))))
    assert steps.argmax() == 15
    assert steps.max() > 0.8 * 160


def test_n4_takes_shading_out() -> None:
    before, after = shaded(), denoise(shaded(), MM, (N4Filter(spacing_mm=1.0),))

    def unevenness(image: np.ndarray) -> float:
        bright = image[0][:, 18:].mean(axis=(1, 2))
        return float(bright.std() / bright.mean())

    assert unevenness(before) > 0.1
    assert unevenness(after) < 0.25 * unevenness(before)


@pytest.mark.parametrize("chosen", FILTERS.values(), ids=FILTERS)
def test_threads_change_nothing(chosen: ImageFilter) -> None:
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    results = []
    try:
        for number in (1, 3):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(number)
            results.append(denoise(shaded(), MM, (chosen,)))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    assert np.array_equal(*results)


def test_a_chain_works_in_its_order_channel_by_channel() -> None:
    two = np.concatenate([noisy(0), noisy(1)])
    chain = (MedianFilter(), CurvatureFilter())
    stepwise = denoise(denoise(two, MM, chain[:1]), MM, chain[1:])
    assert np.array_equal(denoise(two, MM, chain), stepwise)
    assert not np.array_equal(denoise(two, MM, chain[::-1]), stepwise)
    assert denoise(two, MM, ()) is two


def test_parameters_matter() -> None:
    for mild, strong in (
        (MedianFilter(), MedianFilter(radius_voxels=2)),
        (CurvatureFilter(), CurvatureFilter(conductance=4.0)),
        (NlmFilter(strength=0.3), NlmFilter()),
    ):
        assert denoise(noisy(), MM, (strong,)).std() < denoise(noisy(), MM, (mild,)).std()


@pytest.mark.parametrize("chosen", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 2, 2), (5, 1, 4)])
def test_tiny_constant_and_negative_images_pass(chosen: ImageFilter, shape: tuple[int, int, int]) -> None:
    constant = np.full((1, *shape), 7.0, np.float32)
    assert np.array_equal(denoise(constant, MM, (chosen,)), constant)
    negative = np.random.default_rng(0).normal(-5, 3, (1, *shape)).astype(np.float32)
    result = denoise(negative, MM, (chosen,))
    assert result.shape == negative.shape
    assert np.isfinite(result).all()


def test_the_noise_is_estimated() -> None:
    assert noise_sigma(noisy(sigma=8.0)[0]) == pytest.approx(8.0, rel=0.08)
    assert noise_sigma(CLEAN) == 0
    assert noise_sigma(np.zeros((4, 2, 9))) == 0


def test_every_filter_has_its_word() -> None:
    assert list(FILTERS) == ["median", "curvature", "nlm", "n4"]
    assert all(dataclasses.is_dataclass(chosen) for chosen in FILTERS.values())
