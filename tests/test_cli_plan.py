"""kneecascade.cli.run, kneecascade.cli.plan_and_preprocess and the pipeline behind it.

The pipeline: kneecascade.pipeline.plan_and_preprocess, kneecascade.pipeline.plan_summary.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from raw_folder import write_case_files, write_json_file, write_raw

from kneecascade.cli.plan_and_preprocess import main
from kneecascade.cli.run import add_common_arguments, run
from kneecascade.core.case import LabelVolume
from kneecascade.core.plan import CascadePlan
from kneecascade.errors import DatasetError
from kneecascade.imaging.files import read_labels, write_labels
from kneecascade.pipeline.plan_summary import network_name
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.store import open_case

NAME = "Dataset001_Knee"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_raw(tmp_path / "raw" / NAME, cases=3, test=1)
    return tmp_path


def command(root: Path, *more: str) -> int:
    return main(["-d", "1", "--workspace", str(root), "--workers", "1", *more])


def planned(root: Path) -> CascadePlan:
    return read_plan(root / "preprocessed" / NAME / "plan.json")


def changed(store: Path) -> dict[str, int]:
    return {p.parent.name: p.stat().st_mtime_ns for p in store.glob("*/case.json")}


def test_from_raw_to_store_and_nothing_twice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(root) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "3 training cases, 1 test cases, no problem found" in out
    assert "Prepared 3 cases" in out
    assert "Next: kc_train 1 0" in out
    folder = root / "preprocessed" / NAME
    plan = planned(root)
    case = open_case(folder / "store", "case1")
    assert case.image.shape[1:] == case.label.shape == (24, 28, 32)
    assert set(case.class_positions) == {0, 1, 2}
    assert len(json.loads((folder / "splits.json").read_text())) == 3
    assert network_name(plan.fine.network) in out
    before = changed(folder / "store")
    assert command(root) == 0
    assert "unchanged since they were checked" in capsys.readouterr().out
    assert changed(folder / "store") == before


def test_only_what_changed_is_done_again(root: Path) -> None:
    assert command(root) == 0
    store = root / "preprocessed" / NAME / "store"
    before = changed(store)
    write_case_files(root / "raw" / NAME, "case1", seed=77)
    (store / "case2" / "case.json").unlink()
    (store / ".writing_1_case2").mkdir()
    assert command(root) == 0
    after = changed(store)
    assert after["case0"] == before["case0"]
    assert after["case1"] > before["case1"]
    assert set(after) == {"case0", "case1", "case2"}
    assert not (store / ".writing_1_case2").exists()


def test_problems_are_listed_and_nothing_is_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = root / "raw" / NAME
    (raw / "imagesTr" / "case0_0000.nii.gz").unlink()
    (raw / "labelsTr" / "case2.nii.gz").unlink()
    entries = json.loads((raw / "dataset.json").read_text())
    (raw / "dataset.json").write_text(json.dumps({**entries, "numTraining": 9}))
    assert command(root) == 2
    shown = capsys.readouterr()
    assert shown.out.count("no such file") == 2
    assert shown.err.count("\n") == 1
    assert "numTraining is 9" in shown.out
    assert "3 problems in 2 of its cases" in shown.err  # dataset.json is no case
    assert not (root / "preprocessed").exists()


def test_an_edited_plan_is_kept_until_replan(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(root, "--plan-only") == 0
    file = root / "preprocessed" / NAME / "plan.json"
    assert not (file.parent / "store").exists()
    data = json.loads(file.read_text())
    data["region"]["margin_mm"] = 3.5
    file.write_text(json.dumps(data))
    assert command(root, "--plan-only") == 0
    assert "was edited: it is kept" in " ".join(capsys.readouterr().out.split())
    assert planned(root).region.margin_mm == 3.5
    data["fine"]["batch_size"] = -1
    file.write_text(json.dumps(data))
    assert command(root, "--plan-only") == 2
    assert "fine.batch_size: must be from 1" in capsys.readouterr().err
    assert command(root, "--plan-only", "--replan", "--memory-gb", "3") == 0
    assert (planned(root).memory_gb, planned(root).region.margin_mm != 3.5) == (3.0, True)


def test_flags_reach_the_plan(root: Path) -> None:
    assert command(root, "--plan-only", "--fine-depth", "18", "--fine-width", "8") == 0
    network = planned(root).fine.network
    assert network.kind == "medicalnet_aspp"
    assert (network.depth, network.width) == (18, 8)


def test_intensities_reach_plan_store_and_are_not_measured_again(root: Path) -> None:
    flags = ("--denoise", "n4+median", "--normalization", "histogram")
    assert command(root, *flags) == 0
    plan, store = planned(root), root / "preprocessed" / NAME / "store"
    assert [chosen.kind for chosen in plan.denoise] == ["n4", "median"]
    assert plan.denoise_seconds > 0
    assert len(plan.histogram_landmarks[0]) == 11
    filtered, written = open_case(store, "case0").image[:], changed(store)
    assert command(root, *flags) == 0
    assert planned(root) == plan
    assert changed(store) == written
    assert command(root) == 0
    assert planned(root).denoise == ()
    assert (open_case(store, "case0").image[:] != filtered).any()


def test_a_test_set_is_drawn_once_and_seen_by_no_fold(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = root / "preprocessed" / NAME
    assert command(root, "--test-fraction", "0.3") == 0
    assert "Test set: 1 cases in test.json" in " ".join(capsys.readouterr().out.split())
    aside = json.loads((folder / "test.json").read_text())["test"]
    assert len(aside) == 1
    names = {"case0", "case1", "case2"} - set(aside)
    for split in json.loads((folder / "splits.json").read_text()):
        assert set(split["train"] + split["val"]) == names
    assert set(changed(folder / "store")) == names
    plan = planned(root)
    assert command(root) == 0
    assert (planned(root), json.loads((folder / "test.json").read_text())["test"]) == (plan, aside)
    assert command(root, "--test-fraction", "0.3", "--plan-only") == 0
    (folder / "test.json").write_text(json.dumps({"test": sorted(names)[:1]}))
    assert command(root, "--test-fraction", "0.3") == 2
    assert "test.json holds other cases; delete it and splits.json first" in capsys.readouterr().err
    assert command(root) == 2
    assert "is no training case, or is in test.json" in capsys.readouterr().err
    (folder / "test.json").unlink()
    assert command(root, "--test-fraction", "0.3") == 2
    assert "splits.json deals all cases into folds; delete it first" in capsys.readouterr().err


def write_halves(raw: Path, name: str, side: str, swapped: bool = False) -> None:
    """Splits the cartilage of a case into halves as in a knee of this side; the grid is canonical."""
    write_case_files(raw, name)
    labels = read_labels(raw / "labelsTr" / f"{name}.nii.gz")
    lateral = np.arange(labels.array.shape[2]) < 16
    lateral = lateral if (side == "right") != swapped else ~lateral
    array = labels.array.copy()
    array[(array == 2) & lateral] = 3
    write_labels(LabelVolume(array, labels.geometry), raw / "labelsTr" / f"{name}.nii.gz")


def test_knees_are_brought_to_one_side(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = root / "raw" / NAME
    halves = {"background": 0, "bone": 1, "medial_cartilage": 2, "lateral_cartilage": 3}
    write_json_file(raw, labels=halves)
    for name, side in (("case0", "left"), ("case1", "right"), ("case2", "right")):
        write_halves(raw, name, side)
    assert command(root) == 0
    assert "every knee is brought to the right" in " ".join(capsys.readouterr().out.split())
    plan, store = planned(root), root / "preprocessed" / NAME / "store"
    assert (plan.canonical_side, plan.mirror_axes) == ("right", ())
    assert [open_case(store, f"case{k}").trace.mirrored for k in range(3)] == [True, False, False]
    for k in range(3):
        label = open_case(store, f"case{k}").label[:]
        assert np.argwhere(label == 2)[:, 2].mean() > np.argwhere(label == 3)[:, 2].mean()
    written = changed(store)
    (raw / "subjects.csv").write_text("case,subject,side\ncase0,a,left\ncase1,b,right\ncase2,c,left\n")
    assert command(root) == 2
    assert capsys.readouterr().out.count("is a left knee by subjects.csv") == 1
    (raw / "subjects.csv").write_text("case,subject,side\ncase0,a,left\ncase1,b,right\ncase2,c,\n")
    assert command(root) == 0
    assert changed(store)["case2"] == written["case2"]


def test_several_data_sets_two_channels_a_label_nobody_has(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = write_raw(root / "raw" / "Dataset002_TwoEchoes", cases=2, channels=2)
    names = {"0": "echo1", "1": "echo2"}
    write_json_file(
        second, channel_names=names, labels={"background": 0, "bone": 1, "cartilage": 2, "loose": 3}
    )
    assert main(["-d", "1", "2", "--workspace", str(root), "--plan-only", "--workers", "1"]) == 0
    assert "no training case holds the label loose" in " ".join(capsys.readouterr().err.split())
    plan = read_plan(root / "preprocessed" / "Dataset002_TwoEchoes" / "plan.json")
    assert plan.fine.network.in_channels == 2
    assert "loose" not in plan.targets


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--memory-gb", "0"], "must be a number of GB"),
        (["--fine-depth", "11"], "choose one of 10"),
        (["--workers", "0"], "--workers 0"),
        (["--denoise", "n4+blur"], "--denoise n4+blur: choose none, median"),
        (["--normalization", "minmax"], "choose among percentile_zscore"),
        (["--normalization", "none", "none"], "2 choices for 1 channels"),
    ],
)
def test_wrong_flags_are_one_line(
    root: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(root, *flags) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert message in err


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DatasetError("Dataset001: no\ncases"), 2, "error: Dataset001: no cases\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (ValueError("odd"), 1, "error: ValueError: odd (run again with --debug to see where)\n"),
    ],
)
def test_every_end_has_its_code_and_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: fail(error)) == code
    assert capsys.readouterr().err == line


def test_codes_pass_and_debug_lets_errors_through() -> None:
    assert run(lambda: None) == 0
    assert run(lambda: 2) == 2
    with pytest.raises(ValueError, match="odd"):
        run(lambda: fail(ValueError("odd")), debug=True)
    with pytest.raises(DatasetError):
        run(lambda: fail(DatasetError("x")), debug=True)


def test_common_arguments() -> None:
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    assert vars(parser.parse_args([])) == {"workspace": None, "debug": False}
