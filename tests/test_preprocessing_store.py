"""Tests of preprocessing.store."""

import json
from dataclasses import replace

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry, tiny_plan

from kneecascade.core.case import Case, LabelVolume, Volume
from kneecascade.core.filters import N4Filter
from kneecascade.errors import InputError
from kneecascade.preprocessing.store import case_key, is_current, open_case, write_case
from kneecascade.preprocessing.transform import fine_image, prepare, prepare_labels

PLAN = tiny_plan(fine_spacing=(1.0, 0.9, 1.0), channels=("a", "b"))
GRID = tiny_geometry((24, 28, 32), (1.0, 1.0, 1.0), (10.0, 5.0, 0.0))


def arrays(labels=None):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, *GRID.shape_zyx)).astype(np.float32)
    prepared = prepare(Volume(image, GRID), PLAN, "knee")
    labels = blob_labels() if labels is None else labels
    coarse, fine = prepare_labels(LabelVolume(labels, GRID), prepared.trace, PLAN)
    return prepared, fine_image(prepared), coarse, fine


def store(root, key="k1", labels=None):
    prepared, image, coarse, fine = arrays(labels)
    write_case(root, prepared, image, coarse, fine, PLAN, key)
    return prepared, image, coarse, fine


def test_what_is_stored_comes_back(tmp_path):
    prepared, image, coarse, fine = store(tmp_path)
    case = open_case(tmp_path, "knee")
    assert case.name == "knee"
    assert case.trace == prepared.trace
    assert np.array_equal(case.image[:], image.astype(np.float16))
    assert np.array_equal(case.coarse_image[:], prepared.coarse.astype(np.float16))
    assert np.array_equal(case.label[:], fine)
    assert np.array_equal(case.coarse_label[:], coarse)
    patch = case.image[:, 3:9, 20:25, 1:30]
    assert np.array_equal(patch, image.astype(np.float16)[:, 3:9, 20:25, 1:30])
    assert case.nbytes == image.size * 2 + prepared.coarse.size * 2 + fine.size + coarse.size
    assert [p.name for p in tmp_path.iterdir()] == ["knee"]


def test_positions_and_box_lie_on_their_labels(tmp_path):
    _, _, coarse, fine = store(tmp_path)
    case = open_case(tmp_path, "knee")
    for found, labels in ((case.class_positions, fine), (case.coarse_class_positions, coarse)):
        assert sorted(found) == [0, 1, 2]
        for index, places in found.items():
            assert (labels[tuple(places.T)] == index).all()
            assert len(np.unique(places, axis=0)) == len(places) == min(2000, (labels == index).sum())
    places = np.argwhere(fine == 2)
    assert case.target_box.start_zyx == tuple(places.min(axis=0))
    assert case.target_box.stop_zyx == tuple(places.max(axis=0) + 1)


def test_a_case_without_targets_has_no_box(tmp_path):
    labels = blob_labels()
    labels[labels == 2] = 0
    store(tmp_path, labels=labels)
    case = open_case(tmp_path, "knee")
    assert case.target_box is None
    assert sorted(case.class_positions) == [0, 1]


def test_a_case_is_current_only_with_its_key_and_whole(tmp_path):
    assert not is_current(tmp_path, "knee", "k1")
    store(tmp_path, "k1")
    assert is_current(tmp_path, "knee", "k1")
    assert not is_current(tmp_path, "knee", "k2")
    store(tmp_path, "k2")
    assert is_current(tmp_path, "knee", "k2")
    (tmp_path / "knee" / "case.json").write_text("{")
    assert not is_current(tmp_path, "knee", "k2")


@pytest.mark.parametrize("file", ["image.b2nd", "coarse_label.b2nd", "positions.npy"])
def test_a_case_with_a_cut_file_is_not_current(tmp_path, file):
    store(tmp_path, "k1")
    cut = tmp_path / "knee" / file
    cut.write_bytes(cut.read_bytes()[:-20])
    assert not is_current(tmp_path, "knee", "k1")
    cut.unlink()
    assert not is_current(tmp_path, "knee", "k1")


def test_a_store_that_tells_no_bytes_is_kept(tmp_path):
    store(tmp_path, "k1")
    record = tmp_path / "knee" / "case.json"
    before = json.loads(record.read_text())
    assert before.pop("file_bytes") > 0
    record.write_text(json.dumps(before))
    assert is_current(tmp_path, "knee", "k1")


def test_a_failed_write_leaves_the_old_case_and_nothing_else(tmp_path):
    prepared, image, coarse, _ = store(tmp_path, "k1")
    with pytest.raises(AttributeError):
        write_case(tmp_path, prepared, image, coarse, None, PLAN, "k2")
    assert is_current(tmp_path, "knee", "k1")
    assert [p.name for p in tmp_path.iterdir()] == ["knee"]


def test_missing_and_broken_cases_are_named(tmp_path):
    with pytest.raises(InputError, match="knee"):
        open_case(tmp_path, "knee")
    store(tmp_path)
    (tmp_path / "knee" / "label.b2nd").unlink()
    with pytest.raises(InputError, match="knee: broken; delete it and run kc_plan_and_preprocess"):
        open_case(tmp_path, "knee")


def test_values_beyond_half_precision_stay_finite(tmp_path):
    prepared, image, coarse, fine = arrays()
    write_case(tmp_path, prepared, image * 1e6, coarse, fine, PLAN, "k")
    assert np.isfinite(open_case(tmp_path, "knee").image[:]).all()


def test_the_key_follows_files_and_decisions(tmp_path):
    image, label = tmp_path / "a_0000.nii.gz", tmp_path / "a.nii.gz"
    image.write_bytes(b"1")
    label.write_bytes(b"2")
    case = Case("a", (image,), label)
    key = case_key(case, PLAN)
    assert key == case_key(case, replace(PLAN, memory_gb=16.0))
    assert key != case_key(case, replace(PLAN, normalization=("none", "none")))
    assert key != case_key(case, replace(PLAN, fine=replace(PLAN.fine, spacing_mm=(1.0, 1.0, 1.0))))
    filtered = replace(PLAN, denoise=(N4Filter(),))
    assert key != case_key(case, filtered)
    assert case_key(case, filtered) == case_key(case, replace(filtered, denoise_seconds=9.0))
    assert case_key(case, filtered) != case_key(case, replace(PLAN, denoise=(N4Filter(levels=2),)))
    left = replace(case, side="left")
    assert case_key(left, PLAN) == key
    sided = replace(PLAN, canonical_side="right")
    assert len({key, case_key(case, sided), case_key(left, sided)}) == 3
    label.write_bytes(b"3")
    assert key != case_key(case, PLAN)
