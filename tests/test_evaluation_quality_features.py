from __future__ import annotations

import numpy as np
import pytest
from knees import LABELS, block_knee

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry
from kneecascade.evaluation.quality_features import WORKING_MM, measure_features


def test_of_a_knee_made_of_blocks() -> None:
    volume, labels = block_knee(0)
    found = measure_features(volume, labels, LABELS)
    assert found["volume"]["femur"] == pytest.approx((labels.array == 1).sum() / 1000)
    assert found["pieces"] == dict.fromkeys(LABELS.foreground, 1.0)
    assert set(found["crumbs"].values()) == {0.0}
    assert found["contact"]["femoral_cartilage on femur"] == pytest.approx(0.4, abs=0.1)
    assert found["contact"]["femoral_cartilage on tibia"] == 0
    assert found["thickness"].keys() == {"femoral_cartilage", "tibial_cartilage"}
    assert found["thickness"]["femoral_cartilage"] == pytest.approx(2, rel=0.15)
    assert found["border"]["femur at the head"] > 300
    assert found["border"]["femur at the foot"] == found["border"]["femur at the left"] == 0
    assert found["arrangement"]["femur to tibia along z"] == pytest.approx(8 - 30.5, abs=0.1)
    assert found["tissue"]["femoral_cartilage in channel 0"] > 0.8 > found["tissue"]["tibia in channel 0"]
    assert found["spacing"] == {"z": 1, "y": 1, "x": 1}
    assert found["extent"]["y"] == 36


def test_pieces_and_crumbs() -> None:
    _, labels = block_knee(0)
    array = labels.array.copy()
    array[0, 0, 0] = 2
    array[2:6, 0:4, 34:38] = 2
    found = measure_features(None, LabelVolume(array, labels.geometry), LABELS)
    assert found["pieces"]["femoral_cartilage"] == 2
    assert found["crumbs"]["femoral_cartilage"] == pytest.approx(1 / (array == 2).sum())
    assert "tissue" not in found


def test_a_large_label_has_no_large_crumbs() -> None:
    labels = np.zeros((60, 60, 60), np.int16)
    labels[10:50, 10:50, 10:50] = 1
    labels[0:5, 0:5, 0:5] = 1  # .125 ml, .2 % of the label
    labels[55:59, 55:59, 55:59] = 1  # .064 ml
    found = measure_features(None, LabelVolume(labels, Geometry((60, 60, 60), (1.0, 1.0, 1.0))), LABELS)
    assert found["pieces"]["femur"] == 2
    assert found["crumbs"]["femur"] == pytest.approx(64 / (labels == 1).sum())


def test_what_is_not_there_has_no_features() -> None:
    volume, labels = block_knee(0)
    array = np.where(labels.array == 2, 0, labels.array)
    array[0, 0, 0] = 99
    found = measure_features(volume, LabelVolume(array, labels.geometry), LABELS)
    for check in ("volume", "pieces", "thickness", "lean"):
        assert not [what for what in found[check] if what.startswith("femoral_cartilage")]
    empty = measure_features(volume, LabelVolume(array * 0, labels.geometry), LABELS)
    assert empty["volume"] == empty["contact"] == {}
    assert empty["intensity"] == found["intensity"]


def test_the_order_of_the_files_axes_does_not_matter() -> None:
    volume, labels = block_knee(1)
    direction = np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], dtype=float)
    # array axes (z, y, x) hold what were x, z, y, the first and the last two reversed
    turned = labels.array.transpose(2, 0, 1)[::-1, ::-1, :]
    grey = volume.array.transpose(0, 3, 1, 2)[:, ::-1, ::-1, :]
    shape = tuple(int(n) for n in turned.shape)
    geometry = Geometry(shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(direction.ravel()))  # type: ignore[arg-type]
    found = measure_features(Volume(grey, geometry), LabelVolume(turned, geometry), LABELS)
    before = measure_features(volume, labels, LABELS)
    for check in ("volume", "pieces", "contact", "border", "extent", "lean", "arrangement"):
        assert found[check] == pytest.approx(before[check]), check


def test_noise_and_scale_of_grey_values() -> None:
    volume, labels = block_knee(2)
    before = measure_features(volume, labels, LABELS)
    louder = volume.array + np.random.default_rng(0).normal(0, 12, volume.array.shape).astype(np.float32)
    noisy = measure_features(Volume(louder, volume.geometry), labels, LABELS)
    assert noisy["noise"]["channel 0"] > 2 * before["noise"]["channel 0"]
    scaled = measure_features(Volume(volume.array * 7 + 300, volume.geometry), labels, LABELS)
    for check in ("intensity", "noise", "tissue"):
        assert scaled[check] == pytest.approx(before[check], abs=1e-3), check
    flat = measure_features(Volume(volume.array * 0, volume.geometry), labels, LABELS)
    assert flat["noise"]["channel 0"] == 0


def test_fine_grids_are_thinned() -> None:
    _, labels = block_knee(0)
    fine = np.kron(labels.array, np.ones((2, 2, 2), dtype=np.int16))
    shape = tuple(int(n) for n in fine.shape)
    geometry = Geometry(shape, (0.5, 0.5, 0.5))  # type: ignore[arg-type]
    found = measure_features(None, LabelVolume(fine, geometry), LABELS)
    assert found["volume"]["femur"] == pytest.approx((labels.array == 1).sum() / 1000)
    assert WORKING_MM < 2 * 0.5


def test_a_mirrored_label_leans_the_other_way() -> None:
    _, labels = block_knee(0)
    array = np.zeros_like(labels.array)
    for z in range(10, 30):
        array[z, 10:20, 5 + z // 2 : 10 + z // 2] = 1
    found = [
        measure_features(None, LabelVolume(a, labels.geometry), LABELS)["lean"]["femur, z with x"]
        for a in (array, array[..., ::-1])
    ]
    assert found[0] > 0.5
    assert found[1] == pytest.approx(-found[0], abs=0.05)
