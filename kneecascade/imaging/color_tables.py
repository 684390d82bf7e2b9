"""Label names and colours for viewers: a 3D Slicer colour table, ITK-SNAP label descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kneecascade.core.colors import Rgb
from kneecascade.core.labels import Labels
from kneecascade.files import write_text

SLICER, ITKSNAP = "labels.ctbl", "labels_itksnap.txt"


def write_color_tables(folder: Path, labels: Labels, colors: Sequence[Rgb]) -> None:
    """Writes labels.ctbl and labels_itksnap.txt; the numbers in them are the values in label files.

    Args:
        folder: of the segmentations.
        labels: names and values.
        colors: one a label, background first.
    """
    rows = list(zip(labels.values, labels.names, colors, strict=True))
    write_text(folder / SLICER, _slicer(rows))
    write_text(folder / ITKSNAP, _itksnap(rows))


def _slicer(rows: Sequence[tuple[int, str, Rgb]]) -> str:
    """Returns value, name, red, green, blue, alpha a line; a name is one word, Slicer shows _ as a blank."""
    lines = ["# 3D Slicer colour table: value name red green blue alpha"]
    for value, name, (red, green, blue) in rows:
        lines.append(f"{value} {'_'.join(name.split())} {red} {green} {blue} {255 if value else 0}")
    return "\n".join(lines) + "\n"


def _itksnap(rows: Sequence[tuple[int, str, Rgb]]) -> str:
    """Returns value, red, green, blue, opacity, visible, in 3D, name a line."""
    lines = ["# ITK-SNAP label descriptions: IDX R G B A VIS MSH LABEL"]
    for value, name, (red, green, blue) in rows:
        shown = 1 if value else 0
        text = name.replace('"', "'") if value else "Clear Label"
        lines.append(f'{value:5d} {red:5d} {green:4d} {blue:4d} {shown:4d} {shown:2d} {shown:2d}  "{text}"')
    return "\n".join(lines) + "\n"
