"""Images of both knees are refused, wide images of one are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_plan
from tiny_models import GREY, knee, knee_plan, save_grey_model, use_grey_networks

from kneecascade.core.case import Volume
from kneecascade.errors import ImageError
from kneecascade.inference.cascade import Cascade, load_cascade
from kneecascade.inference.two_knees import distance_of_two


@pytest.fixture(autouse=True)
def _grey(monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)


def _cascade(folder: Path) -> Cascade:
    return load_cascade(save_grey_model(folder, knee_plan()), device="cpu")


def _beside(*arrays: np.ndarray) -> Volume:
    array = np.concatenate(arrays, axis=3)
    return Volume(array, replace(knee(1)[0].geometry, shape_zyx=array.shape[1:]))


def test_two_knees_are_refused_where_that_is_asked_for(tmp_path: Path) -> None:
    cascade, one = _cascade(tmp_path), knee(1)[0].array
    pair = _beside(one, one[..., ::-1])
    with pytest.raises(ImageError, match=r"shows two knees, 4[0-9] mm apart"):
        cascade.predict(pair, refuse_two=True)
    assert any("too far apart" in flag for flag in cascade.predict(pair).flags)


def test_two_knees_are_refused_where_they_fill_the_image(tmp_path: Path) -> None:
    plan = knee_plan(max_extent_mm=(20.0, 44.0, 44.0))
    cascade = load_cascade(save_grey_model(tmp_path, plan), device="cpu")
    image, labels = knee(1)
    wide = np.nonzero((labels.array == 2).any(axis=(0, 1)))[0]
    one = image.array[..., wide[0] - 3 : wide[-1] + 4]
    pair = _beside(one, one[..., ::-1])
    assert pair.geometry.extent_mm[2] < 1.5 * 44
    with pytest.raises(ImageError, match=r"shows two knees, 3[0-9] mm apart"):
        cascade.predict(pair, refuse_two=True)


def test_one_knee_in_a_wide_image_is_segmented(tmp_path: Path) -> None:
    cascade, one = _cascade(tmp_path), knee(1)[0].array
    air = np.full_like(one, GREY[0])
    shreds = air.copy()
    shreds[:, 10:16, 10:16, 10:16] = GREY[2]  # bright, far too little for a cartilage
    for volume in (_beside(air, one, air), _beside(one, shreds)):
        result = cascade.predict(volume, refuse_two=True)
        assert np.count_nonzero(result.labels.array == 2) > 3000


def test_two_of_them_above_each_other_are_no_two_knees() -> None:
    plan = knee_plan()
    classes = np.zeros((60, 20, 60), np.uint8)
    classes[5:15, 2:18, 2:22] = classes[40:50, 2:18, 2:22] = 2
    assert distance_of_two(classes, (1.0, 1.0, 1.0), plan) == 0
    turned = classes.transpose(2, 1, 0)
    assert distance_of_two(turned, (1.0, 1.0, 1.0), plan) == 35
    assert distance_of_two(np.zeros_like(classes), (1.0, 1.0, 1.0), plan) == 0


@pytest.mark.parametrize(("start", "apart_mm"), [(26, 0), (28, 18)])
def test_halves_of_a_knee_wider_than_any_are_no_two_knees(start: int, apart_mm: int) -> None:
    plan = knee_plan()  # its widest knee has 32 / 1.4 = 22.9 mm
    classes = np.zeros((20, 20, 60), np.uint8)
    classes[4:16, 2:18, 10:24] = classes[4:16, 2:18, start : start + 14] = 2
    assert distance_of_two(classes, (1.0, 1.0, 1.0), plan) == apart_mm


def test_more_than_half_of_the_targets_must_be_there_twice() -> None:
    labels = ("background", "femoral", "tibial", "patellar")
    plan = tiny_plan(labels=labels, targets=labels[1:])
    region = replace(plan.region, min_volume_mm3=(50.0, 50.0, 0.0), max_extent_mm=(20.0, 20.0, 20.0))
    plan = replace(plan, region=region)
    classes = np.zeros((20, 10, 60), np.uint8)
    classes[10:16, 2:8, 2:14], classes[4:8, 2:8, 2:14] = 1, 2
    classes[10:16, 2:8, 42:54] = 1
    assert distance_of_two(classes, (1.0, 1.0, 1.0), plan) == 0
    classes[4:8, 2:8, 42:54] = 2
    assert distance_of_two(classes, (1.0, 1.0, 1.0), plan) == 40
