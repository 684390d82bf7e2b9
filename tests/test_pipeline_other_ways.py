"""Tests of pipeline.other_ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.core.case import Case
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.inference.cascade import Cascade, load_cascade
from kneecascade.pipeline.other_ways import show_other_ways, try_other_ways


@pytest.fixture
def cascade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cascade:
    use_grey_networks(monkeypatch)
    return load_cascade(save_grey_model(tmp_path / "model"), device="cpu")


def _cases(folder: Path, count: int) -> list[Case]:
    cases = []
    for k in range(count):
        volume, labels = knee(k)
        image, label = folder / f"case{k}_0000.nii.gz", folder / f"case{k}.nii.gz"
        write_channel(volume.array[0], volume.geometry, image)
        write_labels(labels, label)
        cases.append(Case(f"case{k}", (image,), label))
    return cases


def _record(dice: float = 0.9, seconds: float = 60.0, in_tiles: bool = False) -> dict[str, object]:
    scores = {"bone": 0.95, "cartilage": dice}
    return {"dice": {"cascade": scores}, "region": {"in_tiles": in_tiles}, "seconds": {"total": seconds}}


def test_four_cases_are_tried_and_the_difference_is_stated(
    cascade: Cascade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = _cases(tmp_path, 6)
    tried = try_other_ways(cascade, cases, {case.name: _record() for case in cases})
    assert tried["cases"] == ["case0", "case1", "case3", "case4"]
    dice = tried["dice"]["cartilage"]
    assert dice["region"]["mean"] == pytest.approx(0.9)
    assert dice["tiles"]["n"] == dice["whole image"]["n"] == 4
    assert dice["tiles"]["mean"] > 0.97
    assert dice["whole image"]["mean"] > 0.97
    apart = {
        label: tried["dice"][label]["tiles"]["mean"] - own
        for label, own in (("bone", 0.95), ("cartilage", 0.9))
    }
    assert tried["tiles_minus_one_forward"] == pytest.approx(apart)
    assert tried["largest_difference"] == pytest.approx(max(apart.values()))
    show_other_ways(tried)
    shown = capsys.readouterr().out
    assert "4 of these cases" in shown
    assert "MORE THAN 0.005" in shown
    # the coarse stage and the fine one both worked in tiles, the fine one also on everything
    assert max(cascade.fine[0].sizes) == cascade.plan.fine.patch_shape_zyx


def test_it_stops_when_it_takes_longer_than_the_validation(cascade: Cascade, tmp_path: Path) -> None:
    cases = _cases(tmp_path, 3)
    tried = try_other_ways(cascade, cases, {case.name: _record(seconds=0.0) for case in cases})
    assert tried["cases"] == ["case0"]


def test_no_difference_where_one_forward_was_not_possible(
    cascade: Cascade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = _cases(tmp_path, 1)
    tried = try_other_ways(cascade, cases, {"case0": _record(in_tiles=True)})
    assert tried["largest_difference"] is None
    assert tried["dice"]["cartilage"]["tiles"]["mean"] > 0.97
    show_other_ways(tried)
    assert "one forward by" not in capsys.readouterr().out
