"""A raw data set of procedural legs: images, labels, and the tissues that training paints."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path

import numpy as np

from kneecascade.console import say
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3
from kneecascade.files import write_json, write_text
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.imaging.orientation import canonical_axes, from_canonical
from kneecascade.phantom.anatomy import NAMES
from kneecascade.phantom.contrast import render_tissues
from kneecascade.phantom.grids import oblique_geometry
from kneecascade.phantom.leg import make_leg
from kneecascade.planning.processes import default_workers, map_in_processes

TISSUES = "tissuesTr"
"""Folder of the data set with a map of tissues for every training case."""
SIDES = ("right", "left")
TURN_DEGREES = 8.0


def make_legs(
    output: Path, count: int, tests: int, seed: int, spacing_mm: Float3, workers: int | None = None
) -> None:
    """Writes a raw data set; cases that are there already are kept.

    Args:
        output: the data set's folder.
        count: legs to train on, right and left in turn.
        tests: legs for imagesTs, beside `count`.
        seed: of everything random.
        spacing_mm: (z, y, x) of every image.
        workers: processes; None for the usual number.
    """
    numbers = list(range(count + tests))
    todo = [k for k in numbers if not _image(output, k, count).is_file()]
    work = partial(_make, output, count, seed, spacing_mm)
    map_in_processes(work, todo, workers or default_workers(), "legs")
    _describe(output, count, numbers)
    say(f"{output}: {len(numbers)} legs, {tests} of them to test on")


def _name(number: int) -> str:
    return f"leg_{number:03d}"


def _image(output: Path, number: int, count: int) -> Path:
    return output / ("imagesTr" if number < count else "imagesTs") / f"{_name(number)}_0000.nii.gz"


def _make(output: Path, count: int, seed: int, spacing_mm: Float3, number: int) -> None:
    leg = make_leg((seed, number), spacing_mm, SIDES[number % 2])
    grey = np.rint(render_tissues(leg.tissues, spacing_mm, (seed, number, 1))).astype(np.int16)
    draw = np.random.default_rng((seed, number, 2))
    z, y, x = leg.labels.shape
    stored = oblique_geometry((z, y, x), spacing_mm, TURN_DEGREES, draw)
    axes, flips = canonical_axes(stored)

    def on_file(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(from_canonical(array, axes, flips))

    file = f"{_name(number)}.nii.gz"
    write_labels(
        LabelVolume(on_file(leg.labels), stored), output / f"labels{'Tr' if number < count else 'Ts'}" / file
    )
    if number < count:
        write_labels(LabelVolume(on_file(leg.tissues), stored), output / TISSUES / file)
    # the image last: where it is, its case is finished
    write_channel(on_file(grey), stored, _image(output, number, count))


def _describe(output: Path, count: int, numbers: list[int]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("case", "subject", "side"))
    rows.writerows((_name(k), _name(k), SIDES[k % 2]) for k in numbers)
    write_text(output / "subjects.csv", text.getvalue())
    write_json(
        output / "dataset.json",
        {
            "channel_names": {"0": "MR"},
            "labels": {name: value for value, name in enumerate(NAMES)},
            "numTraining": count,
            "file_ending": ".nii.gz",
            "licence": "Apache-2.0",
            "description": "procedural legs, simulated DESS contrast",
        },
    )
