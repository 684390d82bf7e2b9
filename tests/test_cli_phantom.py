"""kc_phantom writes a raw data set that the other commands read."""

import csv
import json

import numpy as np
import pytest

from kneecascade.cli.phantom import main
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.files import read_labels, read_volume, write_labels
from kneecascade.phantom.anatomy import labels_on, make_knee
from kneecascade.pipeline.phantom import SIZES
from kneecascade.pipeline.phantom_recipe import FILE
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.integrity import check_dataset


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "Dataset001_Phantom"
    assert main(["-o", str(folder), "-n", "2", "--test", "1", "--workers", "1", "--seed", "7"]) == 0
    return folder


def test_the_data_set_is_sound(phantoms):
    dataset = read_dataset(phantoms)
    assert [case.name for case in dataset.training] == ["phantom_000", "phantom_001"]
    assert [case.name for case in dataset.test] == ["phantom_002"]
    assert not list(check_dataset(dataset))
    truth = json.loads((phantoms / "truth" / "phantom_001.json").read_text())
    assert truth["side"] == "left"
    labels = read_labels(dataset.training[1].label)
    ml = (labels.array == 2).sum() * labels.geometry.voxel_mm3
    assert ml == pytest.approx(truth["volume_mm3"]["femoral_cartilage"], rel=0.06)


def test_finished_cases_are_kept_and_the_seed_decides(phantoms, tmp_path):
    image = phantoms / "imagesTr" / "phantom_000_0000.nii.gz"
    before = image.stat().st_mtime_ns
    assert main(["-o", str(phantoms), "-n", "2", "--test", "1", "--workers", "1", "--seed", "7"]) == 0
    assert image.stat().st_mtime_ns == before
    again = tmp_path / "again"
    assert main(["-o", str(again), "-n", "1", "--workers", "1", "--seed", "7"]) == 0
    first, second = (read_volume([f / "imagesTr" / image.name]).array for f in (phantoms, again))
    assert np.array_equal(first, second)


def test_a_folder_holds_knees_of_one_recipe(phantoms, tmp_path, capsys):
    image = phantoms / "imagesTr" / "phantom_000_0000.nii.gz"
    before = image.read_bytes()
    same = ["-o", str(phantoms), "-n", "2", "--test", "1", "--workers", "1", "--seed", "7"]
    for changed, words in (
        (["--seed", "8"], "with seed 7, not 8"),
        (["--contrast", "T1"], "with contrast DESS, not T1"),
        (["-n", "3"], "with n 2, not 3"),  # else a knee to test on would become one to train on
    ):
        assert main([*same, *changed]) == 2
        assert words in capsys.readouterr().err
    assert image.read_bytes() == before
    assert json.loads((phantoms / FILE).read_text())["seed"] == 7
    more = tmp_path / "more"
    for count in ("1", "2"):  # nothing to test on: more knees may be added
        assert main(["-o", str(more), "-n", count, "--workers", "1", "--contrast", "PD"]) == 0
    described = json.loads((more / "dataset.json").read_text())
    assert described["channel_names"] == {"0": "PD"}
    assert described["numTraining"] == 2


def test_small_knees_are_held_to_the_grid_of_the_size(phantoms):
    labels = read_labels(phantoms / "labelsTr" / "phantom_000.nii.gz")
    shape, spacing = SIZES["small"]
    assert sorted(labels.geometry.shape_zyx) == sorted(shape)
    assert sorted(labels.geometry.spacing_mm) == pytest.approx(sorted(spacing))


def test_anatomies_split_by_subject(tmp_path):
    maps = tmp_path / "maps"
    labels = labels_on(make_knee((1,), (80.0, 80.0, 60.0), "right"), (40, 40, 30))
    labels[labels == 7] = 0
    for name in ("a_v0", "a_v1", "b_v0", "b_v1"):
        write_labels(LabelVolume(labels, Geometry((40, 40, 30), (2.0, 2.0, 2.0))), maps / f"{name}.nii.gz")
    folder = tmp_path / "Dataset002_Maps"
    arguments = ["-o", str(folder), "--anatomy", str(maps), "--test", "1", "--mirror", "--workers", "1"]
    assert main(arguments) == 0
    dataset = read_dataset(folder)
    assert len(dataset.training) == len(dataset.test) == 4
    assert len({case.name.split("_")[0] for case in dataset.test}) == 1
    with (folder / "subjects.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["subject"] for row in rows} == {"a", "b"}
    assert not (folder / "bordersTr").exists()
    before = {case.name: case.label.read_bytes() for case in dataset.training}
    assert main([*arguments, "--borders"]) == 0
    for case in dataset.training:
        assert (folder / "bordersTr" / case.label.name).is_file()
        assert case.label.read_bytes() == before[case.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "0"], "at least one knee"),
        (["--mirror"], "need --anatomy"),
        (["--borders"], "need --anatomy"),
        (["--anatomy", "nowhere"], "no label maps"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(tmp_path, capsys, arguments, words):
    folder = tmp_path / "out"
    assert main(["-o", str(folder), *arguments]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert not folder.exists()
