"""kneecascade.evaluation.quality_borders."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.evaluation.quality_borders import edges, roughnesses

NAMES = ("background", "bone", "cartilage")
MM = (0.7, 0.7, 0.7)


def solid(edge: int = 24) -> np.ndarray:
    """Returns a block of bone with a sheet of three voxels of cartilage on it."""
    classes = np.zeros((40, 36, 38), dtype=np.uint8)
    classes[8 : 8 + edge, 6:30, 6:30] = 1
    classes[5:8, 6:30, 6:30] = 2
    return classes


def test_ragged_surfaces_are_rougher() -> None:
    generator = np.random.default_rng(0)
    smooth = solid()
    ragged = np.where(generator.random(smooth.shape) < 0.3, np.roll(smooth, 1, axis=0), smooth)
    before, after = dict(roughnesses(smooth, MM, NAMES)), dict(roughnesses(ragged, MM, NAMES))
    assert before["bone"] == pytest.approx(1.0, abs=0.1)
    assert before["cartilage"] == pytest.approx(1.0, abs=0.15)
    for name in ("bone", "cartilage"):
        assert after[name] > before[name] + 0.02


def test_roughness_of_a_ball_does_not_know_its_place() -> None:
    z, y, x = np.ogrid[:40, :36, :38]
    ball = ((z - 19.5) ** 2 + (y - 18) ** 2 + (x - 18.3) ** 2 < 14**2).astype(np.uint8)
    assert dict(roughnesses(ball, MM, ("background", "ball")))["ball"] == pytest.approx(1.0, abs=0.1)
    assert dict(roughnesses(np.roll(ball, 2, axis=1), MM, ("background", "ball"))) == dict(
        roughnesses(ball, MM, ("background", "ball"))
    )


def test_what_the_vote_leaves_nothing_of_has_no_roughness() -> None:
    classes = np.zeros((9, 9, 9), dtype=np.uint8)
    classes[4, 4, 4] = 1
    assert dict(roughnesses(classes, MM, NAMES)) == {}


def test_borders_on_edges_and_beside_them() -> None:
    classes = solid()
    grey = np.array([60.0, 15.0, 110.0])[classes] + np.random.default_rng(1).normal(0, 2, classes.shape)
    there = edges(classes, grey, NAMES, "MR")
    assert set(there) == {
        "bone and background in MR",
        "cartilage and background in MR",
        "cartilage and bone in MR",
    }
    assert min(there.values()) > 0.9
    beside = edges(np.roll(classes, 1, axis=1), grey, NAMES, "MR")
    assert beside["bone and background in MR"] < there["bone and background in MR"] - 0.1
    noise = edges(classes, np.random.default_rng(2).normal(0, 2, classes.shape), NAMES, "MR")
    assert noise["bone and background in MR"] == pytest.approx(0.5, abs=0.03)


def test_edges_do_not_depend_on_scale_or_mirror_image() -> None:
    classes = solid()
    grey = np.random.default_rng(3).normal(0, 2, classes.shape) + 40.0 * classes
    there = edges(classes, grey, NAMES, "MR")
    assert edges(classes, 7 * grey + 300, NAMES, "MR") == pytest.approx(there, abs=1e-5)
    assert edges(classes[..., ::-1], grey[..., ::-1], NAMES, "MR") == pytest.approx(there, abs=1e-5)


def test_short_borders_and_flat_images_have_no_edge() -> None:
    classes = np.zeros((12, 12, 12), dtype=np.uint8)
    classes[4:8, 4:8, 4:8] = 1
    grey = np.random.default_rng(4).normal(0, 2, classes.shape)
    assert edges(classes, grey, NAMES, "MR") == {}
    assert edges(solid(), np.zeros(solid().shape), NAMES, "MR") == {}
