"""Visits of one person side by side: what changed, and whether it could be told from noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.biomarkers.table import WHOLE, Row

PUBLISHED_CV = {"volume": (2.0, 8.0), "ThCcAB": (2.0, 8.0), "ThCtAB": (2.0, 8.0)}
"""RMS coefficients of variation in percent, of manual reading of sagittal DESS: the published range."""
SDC_FACTOR = 1.96 * float(np.sqrt(2))
FEWEST_PAIRS = 3
PUBLISHED = (
    "published CV of manual reading, 2 to 8 %: a larger change than its upper end can be told from noise"
)


@dataclass(frozen=True)
class Visit:
    """One examination of a person.

    Attributes:
        case: name of the examination.
        subject: of the person.
        visit: of the examination; visits are ordered as text with its numbers as numbers.
        side: of the knee; other sides are other knees.
        scan_rescan: a name that two scans of one unchanged knee share; "" for none.
    """

    case: str
    subject: str
    visit: str
    side: str = ""
    scan_rescan: str = ""


@dataclass(frozen=True)
class Change:
    """How one measure changed from a knee's first visit.

    Attributes:
        subject, side, structure, region, measure, unit, method: what of whom.
        first_visit, visit: from when to when.
        first, value: the measure at both.
        percent: the change over the first.
        smallest_percent: smallest detectable change, in percent; None where it is not known.
        source: where that comes from.
    """

    subject: str
    side: str
    structure: str
    region: str
    measure: str
    unit: str
    method: str
    first_visit: str
    visit: str
    first: float
    value: float
    percent: float | None
    smallest_percent: float | None
    source: str


Key = tuple[str, str, str, str]


def changes(rows: Sequence[Row], visits: Sequence[Visit]) -> list[Change]:
    """Returns the change of every measure from each knee's first visit to each later one.

    The smallest detectable change is 1.96 sqrt(2) times the coefficient of variation of scan-rescan
    pairs where at least three pairs give one, else of the published range's upper end.

    Args:
        rows: of all cases.
        visits: of the cases; scans of one visit are averaged.
    """
    values = _by_case(rows)
    noise = scan_rescan_cv(rows, visits)
    knees: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in visits:
        knees[(one.subject, one.side)][one.visit].append(one.case)
    units = {_key(row): row.unit for row in rows}
    found = []
    for (subject, side), by_visit in sorted(knees.items()):
        first_visit, *later = sorted(by_visit, key=natural)
        for visit in later:
            for key, unit in units.items():
                before, after = (_mean(values, by_visit[v], key) for v in (first_visit, visit))
                if before is not None and after is not None:
                    of_whom = (subject, side, *key[:3], unit, key[3], first_visit, visit)
                    percent = 100 * (after - before) / before if before else None
                    found.append(Change(*of_whom, before, after, percent, *_smallest(key, noise)))
    return found


def scan_rescan_cv(rows: Sequence[Row], visits: Sequence[Visit]) -> dict[Key, tuple[float, int]]:
    """Returns the RMS coefficient of variation, in percent, and the number of pairs, by measure.

    Only scans declared as scan and rescan count (Glüer et al. 1995); visits apart are change, not error.
    """
    values = _by_case(rows)
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in visits:
        if one.scan_rescan:
            pairs[(one.subject, one.scan_rescan)].append(one.case)
    squares: dict[Key, list[float]] = defaultdict(list)
    for cases in pairs.values():
        for key in values.get(cases[0], {}) if len(cases) == 2 else ():
            both = [values.get(case, {}).get(key) for case in cases]
            if None in both or not sum(both):  # type: ignore[arg-type]
                continue
            a, b = both
            squares[key].append(((a - b) ** 2 / 2) / ((a + b) / 2) ** 2)  # type: ignore[operator]
    return {key: (100 * float(np.sqrt(np.mean(s))), len(s)) for key, s in squares.items()}


def natural(text: str) -> list[tuple[int, float, str]]:
    """Returns a key that sorts "9m" before "12m"."""
    parts: list[tuple[int, float, str]] = []
    digits = ""
    for letter in text + " ":
        if letter.isdigit():
            digits += letter
            continue
        if digits:
            parts.append((0, float(digits), ""))
            digits = ""
        parts.append((1, 0.0, letter))
    return parts


def _smallest(key: Key, noise: Mapping[Key, tuple[float, int]]) -> tuple[float | None, str]:
    cv, count = noise.get(key, (0.0, 0))
    if count >= FEWEST_PAIRS:
        return SDC_FACTOR * cv, f"{count} scan-rescan pairs"
    if key[2] in PUBLISHED_CV and key[1] == WHOLE:
        return SDC_FACTOR * PUBLISHED_CV[key[2]][1], PUBLISHED
    return None, "not known"


def _key(row: Row) -> Key:
    return (row.structure, row.region, row.measure, row.method)


def _by_case(rows: Sequence[Row]) -> dict[str, dict[Key, float]]:
    found: dict[str, dict[Key, float]] = defaultdict(dict)
    for row in rows:
        if row.value is not None:
            found[row.case][_key(row)] = row.value
    return found


def _mean(values: Mapping[str, Mapping[Key, float]], cases: Sequence[str], key: Key) -> float | None:
    known = [values[case][key] for case in cases if key in values.get(case, {})]
    return float(np.mean(known)) if known else None
