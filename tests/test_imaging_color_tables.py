"""Tests of imaging.color_tables."""

from __future__ import annotations

import re
from pathlib import Path

from kneecascade.core.labels import Labels
from kneecascade.imaging.color_tables import write_color_tables

LABELS = Labels(("background", "femoral cartilage", 'the "other"'), (0, 3, 300))
COLORS = ((0, 0, 0), (255, 77, 0), (1, 2, 3))


def test_both_tables_hold_values_names_and_colours(tmp_path: Path) -> None:
    write_color_tables(tmp_path, LABELS, COLORS)
    slicer = (tmp_path / "labels.ctbl").read_text().splitlines()
    assert slicer[1:] == [
        "0 background 0 0 0 0",
        "3 femoral_cartilage 255 77 0 255",
        '300 the_"other" 1 2 3 255',
    ]
    rows = [line for line in (tmp_path / "labels_itksnap.txt").read_text().splitlines() if line[0] != "#"]
    # ITK-SNAP reads: seven numbers, then a name in double quotes
    found = [re.fullmatch(r'\s*(\d+)((?:\s+\d+){6})\s+"([^"]*)"', row).groups() for row in rows]
    assert [(int(value), name) for value, _, name in found] == [
        (0, "Clear Label"),
        (3, "femoral cartilage"),
        (300, "the 'other'"),
    ]
    assert found[1][1].split() == ["255", "77", "0", "1", "1", "1"]
    assert found[0][1].split() == ["0"] * 6
