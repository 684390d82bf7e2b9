from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_plan
from tiny_models import SHAPE, knee, save_grey_model, use_grey_networks

from kneecascade.core.case import Case, LabelVolume
from kneecascade.core.geometry import Box, Int3
from kneecascade.core.settings import PredictSettings
from kneecascade.core.trace import Region
from kneecascade.errors import DatasetError
from kneecascade.imaging.files import read_labels, write_channel, write_labels
from kneecascade.pipeline.validate import region_recall, summarize, validate_fold
from kneecascade.preprocessing.transform import prepare

CPU = PredictSettings(device="cpu")
SHIFTS: tuple[Int3, ...] = ((0, 0, 0), (0, 3, 2), (0, -3, 1), (2, 0, -4))


def _held_out(folder: Path) -> list[Case]:
    cases = []
    for k, shift in enumerate(SHIFTS):
        volume, labels = knee(k, shift=shift)
        image, label = folder / f"case{k}_0000.nii.gz", folder / f"case{k}.nii.gz"
        write_channel(volume.array[0], volume.geometry, image)
        write_labels(labels, label)
        cases.append(Case(f"case{k}", (image,), label))
    return cases


def test_the_whole_cascade_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_grey_networks(monkeypatch)
    fold = save_grey_model(tmp_path / "model") / "fold_0"
    cases = _held_out(tmp_path / "raw")
    summary = validate_fold(fold, cases, CPU)
    folder = fold / "validation"
    assert json.loads((folder / "summary.json").read_text())["dice"] == summary["dice"]
    assert set(summary["cases"]) == {case.name for case in cases}
    dice = summary["dice"]["cartilage"]
    assert dice["cascade"]["n"] == len(cases)
    assert dice["cascade"]["mean"] > 0.97 > dice["coarse"]["mean"]
    assert summary["region"]["misses"] == 0
    assert summary["region"]["recall"]["mean"] == 1
    assert 0.2 < summary["region"]["fraction"]["mean"] < 0.6
    assert (
        read_labels(folder / "case1.nii.gz").geometry
        == read_labels(cases[1].images[0].parent / "case1.nii.gz").geometry
    )
    assert len(list((folder / "pictures").glob("*.png"))) == 3
    shown = capsys.readouterr().out
    assert "selected nothing on these cases" in shown
    assert "missed something in 0/4" in shown
    assert "tiles differ from one forward by 0.0" in shown
    tried = json.loads((folder / "summary.json").read_text())["other_ways"]
    assert tried["largest_difference"] < 0.005
    assert len(summary["weights_hash"]) == 16


def test_what_the_region_misses_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)
    fold = save_grey_model(tmp_path / "model") / "fold_0"
    (case, *_) = _held_out(tmp_path / "raw")
    assert case.label is not None
    labels = read_labels(case.label)
    labels.array[2, 2, 2] = 2  # nothing in the image shows it, and it lies outside every region
    write_labels(labels, case.label)
    summary = validate_fold(fold, [case], CPU)
    assert summary["region"]["misses"] == 1
    assert 0.999 < summary["region"]["recall"]["mean"] < 1


def test_recall_is_the_share_of_target_voxels_inside() -> None:
    plan = tiny_plan()
    volume, labels = knee(0)
    trace = prepare(volume, plan, "knee").trace
    array = np.zeros_like(labels.array)
    array[10, 10, 10:14] = 2
    array[:, :, 0] = 1
    reference = LabelVolume(array, labels.geometry)
    flip = trace.flips_zyx[2]
    inside = slice(12, 14) if not flip else slice(SHAPE[2] - 14, SHAPE[2] - 12)
    y = 10 if not trace.flips_zyx[1] else SHAPE[1] - 11
    box = Box((9, y, inside.start), (12, y + 1, inside.stop))
    assert region_recall(reference, Region(box, 0.1), trace, plan) == pytest.approx(0.5)
    empty = LabelVolume(np.zeros_like(array), labels.geometry)
    assert region_recall(empty, Region(box, 0.1), trace, plan) is None


def test_means_leave_out_what_a_case_does_not_have() -> None:
    def record(dice: float | None, recall: float | None) -> dict[str, object]:
        scores = {"bone": 1.0, "cartilage": dice}
        return {
            "dice": {"coarse": scores, "cascade": scores},
            "region_recall": recall,
            "region": {"fraction": 0.5, "whole": False},
            "flags": ("doubt",),
            "seconds": {"total": 2.0},
        }

    summary = summarize({"a": record(0.8, 0.9), "b": record(None, None)}, tiny_plan())
    assert summary["dice"]["cartilage"]["cascade"] == {"mean": 0.8, "sd": None, "n": 1}
    assert summary["region"]["recall"]["n"] == summary["region"]["misses"] == 1
    assert summary["region"]["flagged"] == 2


def test_cases_must_be_there_with_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)
    fold = save_grey_model(tmp_path / "model") / "fold_0"
    with pytest.raises(DatasetError, match="no held-out case"):
        validate_fold(fold, [], CPU)
    (case, *_) = _held_out(tmp_path / "raw")
    with pytest.raises(DatasetError, match="case0: a held-out case needs a reference"):
        validate_fold(fold, [replace(case, label=None)], CPU)
