"""Sides: which labels tell medial from lateral, which side a knee is, which one is canonical.

A right knee has its medial half towards the body's left, a left knee towards the right. On the canonical
grid x runs from the right to the left, so in a right knee medial labels lie at greater x.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kneecascade.core.case import Side
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import CaseFingerprint, DatasetFingerprint
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CanonicalSide
from kneecascade.planning.integrity import Problem
from kneecascade.planning.subjects import FILE

MEDIAL = re.compile(r"medial|(?<![a-z])(med|m(tc|fc|men|tib|fem|cl))(?![a-z])")
LATERAL = re.compile(r"(?<!col)(?<!bi)(?<!uni)lateral|(?<![a-z])(lat|l(tc|fc|men|tib|fem|cl))(?![a-z])")
LEFT_OR_RIGHT = re.compile(r"(?<![a-z])(left|right)")
OTHER: dict[str, Side] = {"left": "right", "right": "left"}
CLEAR_SHARE = 0.1
"""Centres nearer than this share of the labels' extent tell no side."""

Span = tuple[float, float]
"""From and to along the canonical x axis."""


def medial_and_lateral(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the label names that mean the medial half of a knee, and those that mean the lateral one."""
    kept = tuple(names)
    medial = tuple(name for name in kept if MEDIAL.search(name.lower()))
    lateral = tuple(name for name in kept if LATERAL.search(name.lower()) and name not in medial)
    return medial, lateral


def tells_sides_apart(names: Iterable[str]) -> bool:
    """Says whether the mirror image of a knee would need other labels."""
    kept = tuple(names)
    return any(medial_and_lateral(kept)) or any(LEFT_OR_RIGHT.search(name.lower()) for name in kept)


def choose_canonical_side(dataset: Dataset, cases: Sequence[CaseFingerprint]) -> CanonicalSide:
    """Returns the side of most training cases, right in a tie; "none" without medial or lateral labels."""
    if not any(medial_and_lateral(dataset.labels.foreground)):
        return "none"
    counts = Counter(training_sides(dataset, cases).values())
    return "left" if counts["left"] > counts["right"] else "right"


def training_sides(dataset: Dataset, cases: Sequence[CaseFingerprint]) -> dict[str, Side]:
    """Returns the side of each training case: what its labels tell, else what subjects.csv says."""
    told = {case.name: case.side for case in dataset.training}
    return {case.name: side_of_case(case) or told.get(case.name, "unknown") for case in cases}


def side_problems(dataset: Dataset, fingerprint: DatasetFingerprint) -> list[Problem]:
    """Returns cases of unknown side and cases whose labels contradict subjects.csv.

    Without medial or lateral labels sides do not matter, and nothing is a problem.
    """
    if not any(medial_and_lateral(dataset.labels.foreground)):
        return []
    told = {case.name: case.side for case in dataset.training}
    problems = []
    for case in fingerprint.cases:
        said, seen = told[case.name], side_of_case(case)
        if seen is None and said == "unknown":
            what = f"medial and lateral labels tell no side; write left or right into {FILE}"
            problems.append(Problem(case.name, "", what))
        elif seen is not None and said not in ("unknown", seen):
            what = f"is a {said} knee by {FILE}, but medial and lateral lie as in a {seen} one"
            problems.append(Problem(case.name, "", what))
    return problems


def to_one_side(
    dataset: Dataset, cases: Sequence[CaseFingerprint], canonical: CanonicalSide
) -> list[CaseFingerprint]:
    """Returns the measurements as if every knee were of the canonical side: the other's boxes mirrored."""
    if canonical == "none":
        return list(cases)
    sides = training_sides(dataset, cases)
    return [_mirrored(case) if sides[case.name] == OTHER[canonical] else case for case in cases]


def side_of_case(case: CaseFingerprint) -> Side | None:
    """Returns the side that a case's labels tell; None where they tell none."""
    spans = {
        label.name: (label.box_start_mm[2], label.box_start_mm[2] + label.extent_mm[2])
        for label in case.labels
        if label.volume_mm3 > 0
    }
    return side_of_spans(spans)


def side_of_labels(array_zyx: np.ndarray, labels: Labels, trim: float = 0.0) -> Side | None:
    """Returns the side that labels on a canonical grid tell; None where they tell none.

    Args:
        array_zyx: file values; x runs from the patient's right to the left.
        labels: names and values.
        trim: share of each label's voxels that is left out at either end, against stray ones.
    """
    spans = {}
    for group in medial_and_lateral(labels.foreground):
        for name in group:
            here = array_zyx == labels.values[labels.index(name)]
            share = np.cumsum(here.sum(axis=(0, 1))) / max(1, np.count_nonzero(here))
            if share[-1] > 0:
                first, last = np.searchsorted(share, (max(trim, 1e-9), 1 - trim - 1e-9))
                spans[name] = (float(first), float(last + 1))
    return side_of_spans(spans)


def side_of_spans(spans: Mapping[str, Span]) -> Side | None:
    """Returns the side told by where labels lie along the canonical x axis.

    Args:
        spans: by label name; absent labels are left out.
    """
    medial, lateral = (_joined([spans[name] for name in group]) for group in medial_and_lateral(spans))
    if medial is None or lateral is None:
        return None
    ahead = (sum(medial) - sum(lateral)) / 2
    extent = max(medial[1], lateral[1]) - min(medial[0], lateral[0])
    if abs(ahead) < CLEAR_SHARE * extent:
        return None
    return "right" if ahead > 0 else "left"


def _mirrored(case: CaseFingerprint) -> CaseFingerprint:
    edge = case.shape_zyx[2] * case.spacing_mm[2]
    labels = []
    for label in case.labels:
        z, y, x = label.box_start_mm
        start = (z, y, edge - x - label.extent_mm[2] if label.volume_mm3 > 0 else x)
        labels.append(replace(label, box_start_mm=start))
    return replace(case, labels=tuple(labels))


def _joined(spans: Sequence[Span]) -> Span | None:
    return (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None
