"""Tests of pipeline.in_memory: the model from Python."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_models import SHAPE, knee, knee_plan, save_grey_model, use_grey_networks

import kneecascade
from kneecascade.core.case import Volume
from kneecascade.core.geometry import Geometry
from kneecascade.errors import CheckpointError, ImageError, SettingsError
from kneecascade.imaging.files import write_channel
from kneecascade.pipeline.in_memory import Model, load_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_grey_networks(monkeypatch)
    return save_grey_model(tmp_path / "model", folds=(0, 1))


@pytest.fixture
def model(folder: Path) -> Model:
    return load_model(folder, device="cpu")


def test_the_package_offers_it_and_stays_light() -> None:
    assert kneecascade.load_model is load_model
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        _ = kneecascade.unknown
    code = "import sys, kneecascade; sys.exit(any(name in sys.modules for name in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_file_array_and_volume_give_the_same(model: Model, tmp_path: Path) -> None:
    volume, reference = knee(1)
    geometry = Geometry(SHAPE, (1.0, 1.0, 1.0))
    volume = replace(volume, geometry=geometry)
    write_channel(volume.array[0], geometry, tmp_path / "knee.nii.gz")
    answers = [
        model.predict(volume),
        model.predict(tmp_path / "knee.nii.gz"),
        model.predict([str(tmp_path / "knee.nii.gz")]),
        model.predict(volume.array[0], spacing_mm=(1.0, 1.0, 1.0)),
        model.predict(volume.array.astype(np.int16), (1.0, 1.0, 1.0)),
    ]
    assert answers[0].geometry == geometry
    assert model.labels == {"background": 0, "bone": 1, "cartilage": 2}
    for answer in answers[:4]:
        assert np.array_equal(answer.array, answers[0].array)
    assert np.mean(answers[4].array == reference.array) > 0.99


def test_two_knees_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)
    model = load_model(save_grey_model(tmp_path / "wide", knee_plan()), device="cpu")
    volume = knee(1)[0]
    array = np.concatenate([volume.array, volume.array[..., ::-1]], axis=3)
    pair = Volume(array, replace(volume.geometry, shape_zyx=array.shape[1:]))
    for answer in (model.predict, model.look):
        with pytest.raises(ImageError, match="shows two knees"):
            answer(pair)
    assert model.predict(volume).array.any()


def test_details_tell_of_doubts(model: Model) -> None:
    result = model.look(np.random.default_rng(0).normal(size=(16, 16, 16)), spacing_mm=(1, 1, 1))
    assert result.flags
    assert set(result.volumes_ml) == {"bone", "cartilage"}


def test_folds_are_chosen_by_number_or_folder(folder: Path) -> None:
    assert load_model(folder, device="cpu").cascade.folds == ("fold_0", "fold_1")
    assert load_model(folder, [1], "cpu").cascade.folds == ("fold_1",)
    assert load_model(str(folder / "fold_0"), device="cpu", tta=True).cascade.mirror_axes == (0, 1, 2)


def test_the_spacing_counts(model: Model) -> None:
    volume, _ = knee(1)
    coarse = model.predict(volume.array[0, ::2], spacing_mm=(2.0, 1.0, 1.0)).array
    fine = model.predict(volume.array[0], spacing_mm=(1.0, 1.0, 1.0)).array
    assert 2 * (coarse == 2).sum() == pytest.approx((fine == 2).sum(), rel=0.1)


@pytest.mark.parametrize(
    ("array", "spacing", "error", "message"),
    [
        (np.zeros((4, 4, 4)), None, SettingsError, "needs spacing_mm"),
        (np.zeros((4, 4, 4)), (1, 0, 1), SettingsError, "above 0"),
        (np.zeros((4, 4)), (1, 1, 1), ImageError, r"expected \(Z, Y, X\)"),
        (np.full((4, 4, 4), np.nan), (1, 1, 1), ImageError, "not finite"),
        (np.zeros((2, 4, 4, 4)), (1, 1, 1), ImageError, "2 channels"),
    ],
)
def test_what_does_not_fit_is_refused(
    model: Model, array: np.ndarray, spacing: tuple[float, ...] | None, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        model.predict(array, spacing)  # type: ignore[arg-type]


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such model folder"):
        load_model(tmp_path / "nowhere")
