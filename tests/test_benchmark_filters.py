"""kneecascade.benchmark.filters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from kneecascade.benchmark import filters
from kneecascade.benchmark.filters import benchmark_filters, edge_width_mm, scanned_knee, shading_left
from kneecascade.files import read_json


def test_the_width_of_a_known_edge_is_found() -> None:
    draw = np.random.default_rng(0)
    depth = draw.uniform(-1.6, 1.6, 20_000)
    for sigma in (0.2, 0.4):
        values = 50 + 300 * 0.5 * (1 + erf((depth - 0.1) / (sigma * np.sqrt(2))))
        found = edge_width_mm(values + draw.normal(0, 20, depth.size), depth)
        assert found == pytest.approx(2.563 * sigma, rel=0.06)


def test_shading_is_what_differs_between_blocks() -> None:
    even = np.full((30, 30, 30), 500.0, np.float32)
    ramp = np.exp(np.linspace(-0.3, 0.3, 30)).astype(np.float32)[:, None, None]
    noise = np.random.default_rng(0).normal(1, 0.1, even.shape)
    assert shading_left(even * noise, even, (2.0, 2.0, 2.0)) < 0.01
    assert shading_left(even * noise * ramp, even, (2.0, 2.0, 2.0)) > 0.1
    assert shading_left(7 * even * ramp, even, (2.0, 2.0, 2.0)) == pytest.approx(
        shading_left(even * ramp, even, (2.0, 2.0, 2.0)), rel=1e-4
    )


def test_scans_differ_in_noise_alone() -> None:
    knee = scanned_knee(0, (60, 64, 44), (0.9, 0.9, 1.3))
    first, second = knee.scans
    assert (first != second).mean() > 0.99
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.9
    assert knee.cartilage.any()
    assert len(knee.depth_mm) == knee.near_bone.sum() > 100


def test_every_chain_gets_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(filters, "CHAINS", ("none", "median"))
    monkeypatch.setattr(filters, "TIMED_SHAPE", (30, 40, 20))
    small = scanned_knee(0, (60, 64, 44), (0.9, 0.9, 1.3))
    monkeypatch.setattr(filters, "scanned_knee", lambda *_: small)
    effects = benchmark_filters(tmp_path / "filters.json", knees=1)
    assert effects["median"].snr > 1.5 * effects["none"].snr
    assert effects["median"].edge_mm > effects["none"].edge_mm
    assert effects["none"].seconds is not None
    assert read_json(tmp_path / "filters.json")["median"] == vars(effects["median"])
    assert "median" in capsys.readouterr().out
