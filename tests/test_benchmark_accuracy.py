"""The accuracy comparison end to end: kneecascade.benchmark.accuracy, with what it is made of.

benchmark.accuracy_ground, benchmark.accuracy_ours, benchmark.accuracy_alone, benchmark.accuracy_numbers,
benchmark.accuracy_report, benchmark.accuracy_picture, benchmark.marked_section, cli.benchmark_accuracy.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from plans import tiny_plan
from prepared import cube_case
from raw_folder import write_raw

from kneecascade.benchmark import accuracy_ground, accuracy_ours
from kneecascade.benchmark.accuracy import AccuracySettings, benchmark_accuracy
from kneecascade.benchmark.accuracy_ground import read_ground
from kneecascade.benchmark.accuracy_numbers import over_seeds, read_numbers
from kneecascade.benchmark.accuracy_picture import log_ticks
from kneecascade.benchmark.accuracy_region import count_misses, misses
from kneecascade.benchmark.accuracy_variants import parse_variants
from kneecascade.benchmark.marked_section import marks, write_section
from kneecascade.cli.benchmark import main
from kneecascade.cli.benchmark_accuracy import durations
from kneecascade.core.settings import TrainSettings
from kneecascade.errors import CheckpointError, DatasetError, InputError, KneecascadeError, SettingsError
from kneecascade.evaluation.measures import MeasureSettings, all_measures
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.files import read_labels
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.pipeline.plan_and_preprocess import prepare_case
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.store import case_key
from kneecascade.training.loop import train_stage
from kneecascade.workspace import PLAN, STORE, Workspace

NAME = "Dataset001_Tiny"
QUICK = AccuracySettings("1", parse_variants("cascade,coarse_only,whole"), (0.5,), device="cpu")
QUICK = replace(QUICK, clock="processor", command="kc_benchmark accuracy -d 1 -o /somewhere/else/out")


@pytest.fixture(autouse=True, scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first optimizer of a process takes longer to build than the budgets here."""
    folder = tmp_path_factory.mktemp("warm") / "fold_0" / "coarse"
    once = TrainSettings(epochs=1, iterations_per_epoch=1, device="cpu")
    train_stage("coarse", tiny_plan(), (cube_case(0),), (), once, folder)


@pytest.fixture
def prepared(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(accuracy_ground, "_workers", lambda: 1)
    monkeypatch.setattr(accuracy_ours, "STEPS_AN_EPOCH", 2)
    raw = read_dataset(write_raw(workspace.raw / NAME, test=2))
    plan, folder = tiny_plan(), workspace.preprocessed / NAME
    write_plan(plan, folder / PLAN)
    for case in raw.training:
        prepare_case((case, case_key(case, plan)), plan, folder / STORE)
    return workspace


def test_variants_are_trained_scored_and_written_once(
    prepared: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "documentation" / "accuracy.md"
    page.parent.mkdir()
    begin, end = marks(f"accuracy {NAME}")
    page.write_text(f"before\n{begin}\nstale\n{end}\nafter\n")
    out = tmp_path / "out"
    benchmark_accuracy(prepared, out, QUICK, page)
    runs = {path.stem: json.loads(path.read_text()) for path in (out / "runs").iterdir()}
    assert sorted(runs) == ["0.5s_cascade_seed0", "0.5s_coarse_only_seed0", "0.5s_whole_seed0"]
    cascade, coarse, whole = (runs[f"0.5s_{name}_seed0"] for name in ("cascade", "coarse_only", "whole"))
    assert sorted(cascade["training"]["steps"]) == ["coarse", "fine"]
    assert list(coarse["training"]["steps"]) == ["coarse"]
    assert list(whole["training"]["steps"]) == ["fine"]
    for run in runs.values():
        assert sorted(run["cases"]) == ["unseen0", "unseen1"]
        assert 0 <= run["cases"]["unseen0"]["cartilage"]["dice"] <= 1
        assert run["prediction"]["gmacs_a_case"] > 0
        assert sum(run["training"]["seconds"].values()) < 10
    voxels = 24 * 28 * 32
    assert whole["prediction"]["voxels_a_case"] == {"fine": voxels}
    assert coarse["prediction"]["voxels_a_case"] == {"coarse": voxels / 8}
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert "| cascade |" in text
    assert "whole less cascade" in text
    assert "kc_benchmark accuracy -d 1 -o out\n" in text
    assert (page.parent / "pictures" / f"accuracy_{NAME}.png").stat().st_size > 10_000
    capsys.readouterr()
    assert main(["accuracy", "-d", "1", "-o", str(out), "--show"]) == 0
    assert "Dice after 0.5 seconds" in capsys.readouterr().out
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    benchmark_accuracy(prepared, out, QUICK)
    assert before == {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    with pytest.raises(KneecascadeError, match="3 runs failed"):
        benchmark_accuracy(prepared, out, replace(QUICK, clock="wall"))
    assert "was made with another clock" in capsys.readouterr().err


def test_a_given_coarse_stage_is_shared(prepared: Workspace, tmp_path: Path) -> None:
    fold, weights = tmp_path / "fold_0", "coarse/model.safetensors"
    save_weights(fold / weights, build_network(tiny_plan().coarse.network), {"steps": "1", "seconds": "1"})
    settings = replace(QUICK, variants=parse_variants("ema"), coarse=fold)
    benchmark_accuracy(prepared, tmp_path / "out", replace(settings, scored="held-out", budgets_s=(0.5,)))
    shared = tmp_path / "out" / "work" / "0.5s_ema_seed0" / "model" / "fold_0"
    assert (fold / weights).read_bytes() == (shared / weights).read_bytes()
    (run,) = (tmp_path / "out" / "runs").iterdir()
    record = json.loads(run.read_text())
    assert len(record["cases"]) == 1
    assert set(record["cases"]) <= {"case0", "case1", "case2"}
    assert list(record["training"]["seconds"]) == ["fine"]
    assert (record["clock"], record["train"]) == ("processor", {"ema": True})


def test_a_coarse_stage_that_is_not_there_is_named(prepared: Workspace, tmp_path: Path) -> None:
    wrong = tmp_path / "no_fold"
    with pytest.raises(CheckpointError, match=f"--coarse {re.escape(str(wrong))}: holds no coarse/model"):
        benchmark_accuracy(prepared, tmp_path / "out", replace(QUICK, coarse=wrong))
    assert not (tmp_path / "out").exists()


def test_a_change_of_the_grids_is_refused_before_anything_runs(prepared: Workspace, tmp_path: Path) -> None:
    finer = parse_variants("cascade,finer:fine.spacing_mm=[0.9,0.9,0.9]")
    with pytest.raises(InputError, match="not prepared"):
        benchmark_accuracy(prepared, tmp_path / "out", replace(QUICK, variants=finer))
    assert not (tmp_path / "out").exists()


def test_without_a_test_set_it_says_what_to_do(prepared: Workspace) -> None:
    for path in (prepared.raw / NAME / "labelsTs").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="--test-fraction, or score on --cases held-out"):
        read_ground(prepared, "1", "test")
    assert len(read_ground(prepared, "1", "held-out").scored) == 1


def test_a_region_that_cuts_a_target_is_a_miss(tmp_path: Path) -> None:
    raw = read_dataset(write_raw(tmp_path / NAME))
    case, plan = raw.training[0], tiny_plan()
    labels = read_labels(case.label).array
    box = bounding_box(labels == 2)
    whole = {"start_zyx": (0, 0, 0), "stop_zyx": labels.shape, "grid_zyx": labels.shape}
    tight = {**whole, "start_zyx": box.start_zyx, "stop_zyx": box.stop_zyx}
    cut = {**tight, "stop_zyx": (box.stop_zyx[0] - 1, *box.stop_zyx[1:])}
    assert [misses(case, region, plan) for region in (whole, tight, cut)] == [False, False, True]
    records = {case.name: {"region": cut, "flags": ["odd"]}}
    assert count_misses([case], records, plan) == {"misses": 1, "flagged": 1, "n": 1}
    assert count_misses([case], records, replace(plan, canonical_side="left")) is None


def test_numbers_are_means_over_seeds_of_sizes(tmp_path: Path) -> None:
    measures = all_measures(MeasureSettings(cartilage=("cartilage",)))
    one, two = (
        {"a": {"cartilage": {"dice": dice, "thickness_difference_mm": mm, "hd95_mm": None}}}
        for dice, mm in ((0.8, -0.2), (0.9, 0.4))
    )
    mean = over_seeds([one, two], measures)["a"]["cartilage"]
    assert mean["dice"] == pytest.approx(0.85)
    assert mean["thickness_difference_mm"] == pytest.approx(0.3)
    assert mean["hd95_mm"] is None
    with pytest.raises(InputError, match="no finished run"):
        read_numbers(tmp_path)


def test_ticks_enclose_the_values() -> None:
    assert log_ticks([474.0, 480.0]) == [200, 500]
    assert log_ticks([1.0]) == [0.5, 1, 2]
    assert log_ticks([0.03, 7.0])[0] == 0.02
    assert log_ticks([0.03, 7.0])[-1] == 10


def test_a_section_needs_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    with pytest.raises(InputError, match="no such page"):
        write_section(page, "accuracy X", "new")
    page.write_text("text")
    with pytest.raises(InputError, match="has no lines"):
        write_section(page, "accuracy X", "new")


def test_what_the_command_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert durations("5m,20m,5m") == (300, 1200)
    assert main(["accuracy", "-d", "1", "--coarse", "fold_0", "--variants", "whole"]) == 2
    assert "share a coarse stage" in capsys.readouterr().err


def test_a_peer_that_is_not_there_is_told_first(prepared: Workspace, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such program"):
        benchmark_accuracy(prepared, tmp_path, replace(QUICK, peer=True, peer_python=Path("nowhere/python")))
