"""What the stopwatch predicts on: kneecascade.benchmark.speed_phantoms, speed_settings, speed_ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry, tiny_plan
from tiny_models import knee

from kneecascade.benchmark.speed_answers import COARSE_FILE, FINE_FILE, Answers
from kneecascade.benchmark.speed_ours import Ours
from kneecascade.benchmark.speed_phantoms import (
    SHAPE_ZYX,
    SPACING_MM,
    TARGETS,
    finer,
    first_case,
    part_of_dataset,
    resized,
    sagittal,
)
from kneecascade.benchmark.speed_settings import at_spacing_of, make_setting, with_pieces
from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.files import read_labels, write_channel, write_labels
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.phantom.anatomy import NAMES
from kneecascade.planning.plan_file import read_plan, write_plan


def place_xyz(geometry: Geometry, index_zyx: np.ndarray) -> np.ndarray:
    """Returns where a voxel's centre lies in the patient."""
    direction = np.array(geometry.direction_xyz).reshape(3, 3)
    step = (np.array(geometry.spacing_mm) * index_zyx)[::-1]
    return np.array(geometry.origin_mm_xyz) + direction @ step


def test_sagittal_slices_hold_the_same_knee_in_the_same_place() -> None:
    geometry = tiny_geometry((20, 24, 16), (1.0, 0.5, 2.0), (3.0, -4.0, 8.0))
    labels = blob_labels((20, 24, 16))
    marked = labels.astype(np.float32)
    marked[3, 5, 7] = 99
    image, turned = sagittal(Volume(marked[None], geometry), LabelVolume(labels, geometry))
    assert image.geometry.shape_zyx == (16, 20, 24) == turned.array.shape
    assert image.geometry.spacing_mm == (2.0, 1.0, 0.5)
    found = np.argwhere(image.array[0] == 99)[0]
    there = place_xyz(geometry, np.array([3, 5, 7]))
    np.testing.assert_allclose(place_xyz(image.geometry, found), there, atol=1e-9)
    before = to_canonical(labels, *canonical_axes(geometry))
    after = to_canonical(turned.array, *canonical_axes(turned.geometry))
    np.testing.assert_array_equal(before, after)


def test_a_finer_scan_shows_the_same_knee() -> None:
    geometry = tiny_geometry((6, 9, 10), (2.0, 1.0, 1.0))
    image, labels = knee(1, geometry)
    large, more = finer(image, labels, (12, 12, 20))
    assert large.geometry.shape_zyx == more.array.shape == (12, 12, 20)
    assert large.geometry.spacing_mm == pytest.approx((1.0, 0.75, 0.5))
    volumes = [np.bincount(found.array.ravel()) * found.geometry.voxel_mm3 for found in (labels, more)]
    np.testing.assert_allclose(volumes[1], volumes[0], rtol=0.25)
    np.testing.assert_array_equal(large.array[:, ::2, ::4, ::2], image.array[:, :, ::3])
    plan = at_spacing_of(tiny_plan(), large.geometry)
    axes, _ = canonical_axes(large.geometry)
    assert plan.fine.spacing_mm == tuple(large.geometry.spacing_mm[axis] for axis in axes)


def test_slices_are_cut_and_extended_about_the_middle() -> None:
    image, labels = knee(1, tiny_geometry((6, 10, 10)))
    for edge in (6, 14):
        other, cut = resized(image, labels, edge)
        assert other.array.shape == (1, 6, edge, edge)
        assert cut.array.shape == (6, edge, edge) == cut.geometry.shape_zyx
    np.testing.assert_array_equal(resized(*resized(image, labels, 14), 10)[1].array, labels.array)
    assert set(np.unique(resized(image, labels, 30)[1].array)) <= {0, 1, 2}


def test_a_part_of_a_data_set_has_fewer_cases(tmp_path: Path) -> None:
    image, labels = knee(1)
    for k in range(3):
        write_channel(image.array[0], image.geometry, tmp_path / f"a/imagesTr/phantom_00{k}_0000.nii.gz")
        write_labels(labels, tmp_path / f"a/labelsTr/phantom_00{k}.nii.gz")
    (tmp_path / "a/dataset.json").write_text(json.dumps({"numTraining": 3, "labels": {}}))
    part_of_dataset(tmp_path / "a", tmp_path / "b", 2)
    assert json.loads((tmp_path / "b/dataset.json").read_text())["numTraining"] == 2
    assert len(list((tmp_path / "b/labelsTr").iterdir())) == 2
    np.testing.assert_array_equal(first_case(tmp_path / "b")[1].array, labels.array)


def test_the_phantoms_are_full_size_and_their_targets_exist() -> None:
    assert int(np.prod(SHAPE_ZYX)) == 160 * 384 * 384
    assert min(SPACING_MM) < 0.4
    assert set(TARGETS) < set(NAMES)


def test_more_labels_cover_the_same_voxels() -> None:
    _, labels = knee(1)
    plan, cut = with_pieces(tiny_plan(), labels, 2)
    np.testing.assert_array_equal(cut.array > 0, labels.array > 0)
    assert set(np.unique(cut.array)) == {0, 1, 2, 4}, "the cap of cartilage lies in the second half"
    assert plan.labels.names == ("background", "bone_1", "bone_2", "cartilage_1", "cartilage_2")
    assert plan.targets == ("cartilage_1", "cartilage_2")
    assert plan.fine.network.num_classes == plan.coarse.network.num_classes == 5


def test_a_plan_with_more_labels_is_accepted_as_any_other(tmp_path: Path) -> None:
    plan = replace(tiny_plan(), colors=((0, 0, 0), (1, 2, 3), (4, 5, 6)))
    more, _ = with_pieces(plan, LabelVolume(np.zeros((4, 4, 4), np.uint8), tiny_geometry((4, 4, 4))), 3)
    write_plan(more, tmp_path / "plan.json")
    assert len(read_plan(tmp_path / "plan.json").label_colors) == 7


def test_answers_of_a_grid_that_is_not_known_are_refused(tmp_path: Path) -> None:
    for name in (COARSE_FILE, FINE_FILE):
        np.save(tmp_path / name, np.zeros((4, 4, 4), np.uint8))
    answers = Answers(tmp_path)
    probabilities = np.full((2, 4, 4, 4), 0.5, np.float32)
    answers.write(probabilities)
    np.testing.assert_array_equal(probabilities[0], 1)
    np.testing.assert_array_equal(probabilities[1], 0)
    with pytest.raises((ValueError, AttributeError)):
        answers.write(np.zeros((2, 3, 4, 4), np.float32))


def test_a_timed_prediction_does_all_and_gives_the_known_answer(tmp_path: Path) -> None:
    image, labels = knee(1)
    setting = make_setting(tmp_path / "setting", tiny_plan(), (image, labels), folds=2, copies=2)
    found = Ours(tmp_path, 1, "cpu").predict(setting, folds=2, images=2)
    for k in range(2):
        predicted = read_labels(tmp_path / "work" / "out" / f"knee_{k}.nii.gz")
        overlap = (predicted.array == labels.array).mean()
        assert overlap > 0.99
    assert 0 < found["load_s"] < found["start_s"] < found["seconds"]
    assert 0 < found["networks_s"] < found["seconds"]
    assert 0 < found["fraction"] < 1
    assert found["peak_gb"] > 0.1
    assert set(found["steps"]) == {"knee_0", "knee_1"}
