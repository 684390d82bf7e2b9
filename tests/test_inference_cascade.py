from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_geometry, tiny_plan
from tiny_models import SHAPE, knee, save_grey_model, use_grey_networks

from kneecascade.core.case import Volume
from kneecascade.core.geometry import Box, Geometry
from kneecascade.errors import CheckpointError, ImageError
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.imaging.components import at_least
from kneecascade.inference.cascade import load_cascade
from kneecascade.inference.stage import Limits

OBLIQUE = tiny_geometry((36, 30, 48), (1.0, 1.5, 0.9), (12.0, -8.0, 15.0))
FLIPPED = Geometry(SHAPE, (1.0, 1.0, 1.0), (5.0, 6.0, 7.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))


@pytest.fixture(autouse=True)
def _grey(monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)


@pytest.mark.parametrize("geometry", [None, OBLIQUE, FLIPPED], ids=["straight", "oblique", "flipped"])
def test_labels_lie_on_the_grid_of_the_file(tmp_path: Path, geometry: Geometry | None) -> None:
    cascade = load_cascade(save_grey_model(tmp_path), device="cpu")
    volume, reference = knee(1, geometry)
    result = cascade.predict(volume, coarse_alone=True)
    assert result.labels.geometry == volume.geometry
    fine = dice_per_label(reference.array, result.labels.array, cascade.plan.labels)["cartilage"]
    assert result.coarse_labels is not None
    coarse = dice_per_label(reference.array, result.coarse_labels.array, cascade.plan.labels)["cartilage"]
    assert fine is not None
    assert coarse is not None
    assert fine > 0.95 > coarse
    assert result.flags == ()
    assert result.region.fraction < 0.6
    voxels = int((result.labels.array == 2).sum())
    assert result.volumes_ml["cartilage"] == pytest.approx(voxels * volume.geometry.voxel_mm3 / 1000)
    assert list(result.seconds) == ["prepare", "coarse", "region", "fine", "restore"]


def test_the_fine_stage_sees_the_region_and_no_more(tmp_path: Path) -> None:
    cascade = load_cascade(save_grey_model(tmp_path), device="cpu")
    result = cascade.predict(knee(1)[0])
    assert result.coarse_labels is None
    assert cascade.fine[0].sizes == [result.region.box.shape_zyx]
    assert cascade.coarse[0].sizes == [result.trace.coarse_shape_zyx]


def test_a_region_smaller_than_a_patch_is_read_with_context(tmp_path: Path) -> None:
    plan = tiny_plan(margin_mm=0.0, fine_patch=(32, 16, 16))
    cascade = load_cascade(save_grey_model(tmp_path, plan), device="cpu")
    volume, reference = knee(1)
    result = cascade.predict(volume)
    assert result.region.box.shape_zyx[0] < 32
    assert cascade.fine[0].sizes[0][0] == 32
    dice = dice_per_label(reference.array, result.labels.array, plan.labels)
    assert dice["cartilage"] == pytest.approx(1, abs=0.1)


def test_an_image_without_a_knee_is_looked_at_whole_and_flagged(tmp_path: Path) -> None:
    cascade = load_cascade(save_grey_model(tmp_path), device="cpu")
    result = cascade.predict(Volume(np.zeros((1, *SHAPE), dtype=np.float32), tiny_geometry(SHAPE)))
    assert result.region.whole
    assert result.flags[0] == "no cartilage found by the coarse stage"
    assert result.flags[-1] == "no cartilage found by the fine stage"


def test_folds_are_averaged_as_probabilities(tmp_path: Path) -> None:
    save_grey_model(tmp_path, folds=(0, 1), shift=0.3)
    volume = knee(1)[0]
    both = load_cascade(tmp_path, device="cpu")
    assert both.folds == ("fold_0", "fold_1")
    assert len(both.coarse) == len(both.fine) == 2
    ones = [load_cascade(tmp_path, [k], "cpu").predict(volume).labels.array for k in (0, 1)]
    joint = both.predict(volume).labels.array
    assert not np.array_equal(ones[0], ones[1])
    agree = ones[0] == ones[1]
    assert np.array_equal(joint[agree], ones[0][agree])


def test_tiles_give_the_same_labels(tmp_path: Path) -> None:
    save_grey_model(tmp_path)
    volume = knee(1)[0]
    whole = load_cascade(tmp_path, device="cpu")
    tiles = load_cascade(tmp_path, device="cpu", limits=Limits(memory_limit_gb=0.0))
    a, b = (c.predict(volume).labels.array for c in (whole, tiles))
    assert len(tiles.fine[0].sizes) > len(whole.fine[0].sizes) == 1
    assert np.mean(a != b) < 1e-3


def test_folds_of_other_grids_are_refused(tmp_path: Path) -> None:
    plan = tiny_plan()
    save_grey_model(tmp_path, plan)
    save_grey_model(tmp_path, replace(plan, fine=replace(plan.fine, spacing_mm=(1.5, 1.0, 1.0))), folds=(1,))
    with pytest.raises(CheckpointError, match="fold_1 was trained with another plan"):
        load_cascade(tmp_path, device="cpu")


def test_wrong_number_of_channels_is_named(tmp_path: Path) -> None:
    cascade = load_cascade(save_grey_model(tmp_path), device="cpu")
    volume = knee(1)[0]
    with pytest.raises(ImageError, match="both: 2 channels"):
        cascade.predict(Volume(np.concatenate([volume.array, volume.array]), volume.geometry), "both")


def test_at_least_grows_about_the_centre_and_stays_inside() -> None:
    grown = at_least(Box((10, 0, 4), (14, 3, 6)), (8, 8, 2), (20, 20, 6))
    assert grown == Box((8, 0, 4), (16, 8, 6))
    assert at_least(Box((17, 2, 0), (20, 4, 6)), (8, 30, 2), (20, 20, 6)) == Box((12, 0, 0), (20, 20, 6))
