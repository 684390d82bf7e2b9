from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kneecascade.biomarkers.table import Row
from kneecascade.pipeline.biomarker_summary import show_summary, summarise, write_summary

ROWS = [
    Row("a", "femur", "whole", "volume", 100.0, "ml", "counted"),
    Row("b", "femur", "whole", "volume", 104.0, "ml", "counted"),
    Row("c", "femur", "whole", "volume", None, "ml", "nothing there"),
    Row("a", "femur", "medial", "volume", 40.0, "ml", "nearest"),
]


def test_over_the_cases_that_have_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, medial = summarise(ROWS)
    assert (whole.n, whole.mean, whole.least, whole.most) == (2, 102, 100, 104)
    assert whole.sd == pytest.approx(8**0.5)
    assert medial.sd is None
    write_summary(tmp_path / "summary.csv", [whole, medial])
    with (tmp_path / "summary.csv").open(newline="") as stream:
        read = list(csv.DictReader(stream))
    assert read[0]["sd"] == "2.82843"
    assert read[1]["sd"] == ""
    show_summary([whole, medial])
    shown = capsys.readouterr().out
    assert "102.00 ± 2.83" in shown
    assert "medial" not in shown
    assert summarise([]) == []
