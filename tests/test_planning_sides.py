"""kneecascade.planning.sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fingerprints import GREY

from kneecascade.core.case import Case, Side
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import CaseFingerprint, DatasetFingerprint, LabelFingerprint
from kneecascade.core.labels import Labels
from kneecascade.planning.sides import (
    choose_canonical_side,
    medial_and_lateral,
    side_of_case,
    side_of_labels,
    side_of_spans,
    side_problems,
    tells_sides_apart,
    to_one_side,
    training_sides,
)

LABELS = Labels(("background", "femur", "medial_tc", "lateral_tc"), (0, 1, 2, 3))
SPANS = {"right": {"medial_tc": (60.0, 90.0), "lateral_tc": (20.0, 50.0)}}
SPANS["left"] = {"medial_tc": (20.0, 50.0), "lateral_tc": (60.0, 90.0)}


def label(name: str, start: float, stop: float) -> LabelFingerprint:
    return LabelFingerprint(name, 100.0, (0.0, 0.0, start), (5.0, 5.0, stop - start), 2.0, 1, False)


def measured(name: str, spans: dict[str, tuple[float, float]]) -> CaseFingerprint:
    labels = (label("femur", 10.0, 95.0), *(label(n, a, b) for n, (a, b) in spans.items()))
    return CaseFingerprint(name, "0", (50, 50, 50), (1.0, 1.0, 1.0), (GREY,), labels)


def dataset(sides: dict[str, Side], labels: Labels = LABELS) -> Dataset:
    training = tuple(Case(name, (), None, side) for name, side in sides.items())
    return Dataset(1, "Dataset001_K", Path("raw"), ("MR",), labels, ".nii.gz", training, ())


@pytest.mark.parametrize(
    ("name", "half"),
    [
        ("medial_meniscus", "medial"),
        ("Lateral tibial cartilage", "lateral"),
        ("mTC", "medial"),
        ("LFC", "lateral"),
        ("men_lat", "lateral"),
        ("medial collateral ligament", "medial"),
        ("LCL", "lateral"),
        ("collateral_ligament", ""),
        ("bilateral", ""),
        ("femur", ""),
        ("platform", ""),
        ("intermediate", ""),
        ("TC", ""),
    ],
)
def test_names_of_halves(name: str, half: str) -> None:
    medial, lateral = medial_and_lateral(["femur", name])
    assert ("medial" if medial else "lateral" if lateral else "") == half
    assert tells_sides_apart(["femur", name]) == bool(half)


def test_left_and_right_labels_forbid_mirroring_but_have_no_canonical_side() -> None:
    assert tells_sides_apart(["left_femur"])
    assert not tells_sides_apart(["bright_spot", "cleft"])
    both = Labels(("background", "left_femur", "right_femur"), (0, 1, 2))
    assert choose_canonical_side(dataset({"a": "left"}, both), [measured("a", {})]) == "none"


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_right_knee_has_its_medial_half_towards_the_left(side: Side) -> None:
    assert side_of_spans(SPANS[side]) == side
    assert side_of_case(measured("a", SPANS[side])) == side
    array = np.zeros((4, 4, 100), np.int16)
    for name, (a, b) in SPANS[side].items():
        array[1:3, 1:3, int(a) : int(b)] = LABELS.index(name)
    assert side_of_labels(array, LABELS) == side
    assert side_of_labels(array[..., ::-1], LABELS) != side
    array[0, 0, 0] = array[0, 0, 99] = LABELS.index("medial_tc" if side == "right" else "lateral_tc")
    assert side_of_labels(array, LABELS, trim=0.05) == side


def test_what_tells_no_side() -> None:
    assert side_of_spans({"medial_tc": (20.0, 50.0)}) is None
    assert side_of_spans({"medial_tc": (20.0, 90.0), "lateral_tc": (22.0, 92.0)}) is None
    assert side_of_labels(np.zeros((3, 3, 3), np.int16), LABELS) is None


def test_the_canonical_side_is_the_more_frequent_one() -> None:
    left, right = (measured(name, SPANS[side]) for name, side in (("a", "left"), ("b", "right")))
    silent = measured("c", {})
    sides: dict[str, Side] = {"a": "unknown", "b": "unknown", "c": "left"}
    assert training_sides(dataset(sides), [left, right, silent]) == {"a": "left", "b": "right", "c": "left"}
    assert choose_canonical_side(dataset(sides), [left, right]) == "right"
    assert choose_canonical_side(dataset(sides), [left, right, silent]) == "left"
    plain = Labels(("background", "femur"), (0, 1))
    assert choose_canonical_side(dataset(sides, plain), [left]) == "none"


def test_the_other_sides_boxes_are_mirrored() -> None:
    left, right = (measured(side, SPANS[side]) for side in ("left", "right"))
    raw = dataset({"left": "unknown", "right": "unknown"})
    mirrored, same = to_one_side(raw, [left, right], "right")
    assert same is right
    assert side_of_case(mirrored) == "right"
    assert [label.box_start_mm[2] for label in mirrored.labels] == [-45.0, 0.0, -40.0]  # an image of 50 mm
    assert [label.extent_mm for label in mirrored.labels] == [label.extent_mm for label in left.labels]
    assert to_one_side(raw, [left, right], "none") == [left, right]


def test_unknown_and_contradicting_sides_are_problems() -> None:
    cases = tuple(
        measured(n, s) for n, s in (("a", SPANS["left"]), ("b", SPANS["left"]), ("c", {}), ("d", {}))
    )
    raw = dataset({"a": "left", "b": "right", "c": "unknown", "d": "left"})
    found = side_problems(raw, DatasetFingerprint("Dataset001_K", "0", cases))
    assert [(p.case, p.what) for p in found] == [
        ("b", "is a right knee by subjects.csv, but medial and lateral lie as in a left one"),
        ("c", "medial and lateral labels tell no side; write left or right into subjects.csv"),
    ]
    plain = replace(raw, labels=Labels(("background", "femur"), (0, 1)))
    assert side_problems(plain, DatasetFingerprint("Dataset001_K", "0", cases)) == []
