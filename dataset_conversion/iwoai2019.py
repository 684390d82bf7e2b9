"""IWOAI 2019 challenge: OAI knees at two visits, HDF5 without any header."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from kneecascade.dataset_conversion.anatomy import centre_mm
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.labels import from_one_hot
from kneecascade.dataset_conversion.reading import grid, read_hdf5
from kneecascade.errors import DatasetError

LABELS = {
    1: "femoral_cartilage",
    2: "medial_tibial_cartilage",
    3: "lateral_tibial_cartilage",
    4: "patellar_cartilage",
    5: "medial_meniscus",
    6: "lateral_meniscus",
}
MENISCI = (5, 6)
SPACING_MM = (140 / 384, 140 / 384, 0.7)
"""Of rows, columns and slices; the OAI's protocol, since the files do not tell."""
AXES = ("SI", "AP", "LR")
NAME = re.compile(r"((train|valid|val|test)_(\d+))_(V\d+)\.im")


def find_iwoai2019(source: Path) -> Found:
    """Finds the scans of the challenge; training and validation become one official fold.

    Args:
        source: holds train_001_V00.im, train_001_V00.seg ... in any folders.

    Raises:
        DatasetError: there is no scan, or one to train on has no .seg.
    """
    cases, folds = [], {"train": [], "val": []}  # type: ignore[var-annotated]
    for image in sorted(source.rglob("*.im")):
        match = NAME.fullmatch(image.name)
        if match is None:
            continue
        label = image.with_suffix(".seg")
        labelled, name = label.is_file(), image.stem
        if match[2] != "test":
            if not labelled:
                raise DatasetError(f"{image}: no {label.name} beside it")
            folds["train" if match[2] == "train" else "val"].append(name)
        cases.append(
            SourceCase(
                name=name,
                subject=match[1],
                files=(image, label) if labelled else (image,),
                read=partial(read_iwoai2019, image, label if labelled else None),
                part="Ts" if match[2] == "test" else "Tr",
                labelled=labelled,
                visit=match[4],
            )
        )
    if not any(case.part == "Tr" for case in cases):
        raise DatasetError(f"{source}: no scans like train_001_V00.im below it")
    note = "the files tell no directions: slices are taken to run left to right, sides follow from that"
    return Found(
        "iwoai2019", "IWOAI2019", ("DESS",), LABELS, cases, CATALOGUE["iwoai2019"].licence,
        tuple(LABELS.values()), [folds] if all(folds.values()) else None, notes=(note,),
    )  # fmt: skip


def read_iwoai2019(image: Path, label: Path | None) -> Examination:
    """Reads a scan; which of the last two masks is the medial meniscus is told by the tibial cartilages.

    Raises:
        DatasetError: a file has no key "data" or another shape than it should.
        MissingExtraError: h5py is not installed.
    """
    array = _data(image, 3)
    geometry = grid(array.shape, SPACING_MM, AXES)
    if label is None:
        return Examination((array,), geometry)
    one_hot = _data(label, 4)
    if one_hot.shape != (*array.shape, len(LABELS)):
        raise DatasetError(f"{label}: {one_hot.shape}, expected {(*array.shape, len(LABELS))}")
    values, notes = from_one_hot(one_hot, str(label))
    if _is_lateral_first(values):
        values = np.choose(values, (0, 1, 2, 3, 4, 6, 5)).astype(np.uint8)
        notes = (*notes, "the lateral meniscus is the fifth mask, the medial one the sixth")
    return Examination((array,), geometry, values, notes=notes)


def _data(path: Path, dimensions: int) -> np.ndarray:
    (array,) = read_hdf5(path, "data")
    if array is None:
        raise DatasetError(f"{path}: has no key 'data'")
    if array.ndim != dimensions:
        raise DatasetError(f"{path}: {array.ndim} dimensions, expected {dimensions}")
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _is_lateral_first(values: np.ndarray) -> bool:
    """Says whether mask five lies on the lateral tibial cartilage's side, or mask six on the medial one's."""
    geometry = grid(values.shape, SPACING_MM, AXES)
    medial, lateral, fifth, sixth = (centre_mm(values == value, geometry) for value in (2, 3, *MENISCI))
    if medial is None or lateral is None:
        return False
    middle, towards_medial = (medial[0] + lateral[0]) / 2, medial[0] - lateral[0]
    places = [(centre[0] - middle) * towards_medial for centre in (fifth, sixth) if centre is not None]
    if fifth is None or sixth is None:
        return bool(places) and bool((places[0] < 0) == (fifth is not None))
    return bool(places[0] < places[1])
