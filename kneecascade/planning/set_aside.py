"""The test set: training cases set aside before anything is learned from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import DatasetFingerprint
from kneecascade.errors import DatasetError, SettingsError
from kneecascade.files import read_json
from kneecascade.planning.folds import Subjects, make_splits

SEED = 54321
MOST_PARTS = 20
LEAST_LEFT = 2  # subjects: one to train on, one to validate


def choose_test_set(
    names: Sequence[str], fraction: float, subjects: Subjects | None = None, seed: int = SEED
) -> tuple[str, ...]:
    """Draws whole subjects until about `fraction` of the cases are set aside, of all grades and sites.

    The cases are dealt into parts as they are into folds, and some parts make the test set.

    Args:
        names: cases to draw from.
        fraction: above 0, under 1.
        subjects: row of each case in subjects.csv; a case that is not in it is its own subject.
        seed: the same names and seed give the same cases.

    Returns:
        Sorted names, at least one.

    Raises:
        SettingsError: the fraction cannot be used, or too few subjects would be left.
    """
    if not 0 < fraction < 1:
        raise SettingsError(f"--test-fraction {fraction:g}: must be above 0 and under 1")
    known = subjects or {}
    groups = {("subject", known[name].subject) if name in known else ("case", name) for name in names}
    wanted = max(1, min(MOST_PARTS, len(groups)))
    share = Fraction(fraction).limit_denominator(wanted)
    parts, taken = share.denominator, share.numerator
    if taken == 0 or taken == parts:  # rounded away: one part of the smallest size
        parts, taken = wanted, max(1, round(fraction * wanted))
    if len(groups) - len(groups) * taken / parts < LEAST_LEFT:
        raise SettingsError(
            f"--test-fraction {fraction:g}: too few of {len(groups)} subjects would be left to train on"
        )
    dealt = make_splits(names, parts, seed, subjects)
    return tuple(sorted(name for part in dealt[:taken] for name in part["val"]))


def read_test_set(file: Path, names: Collection[str]) -> tuple[str, ...]:
    """Reads test.json, {"test": ["name", ...]}, made here or by the user.

    Returns:
        The names; empty where there is no file.

    Raises:
        DatasetError: it is of another form, or names a case twice or one that is no training case.
        InputError: it is not JSON.
    """
    if not file.is_file():
        return ()
    content = read_json(file)
    listed = content.get("test") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise DatasetError(f'{file}: expected {{"test": ["name", ...]}}')
    unknown = sorted(set(listed) - set(names))
    if unknown:
        raise DatasetError(f"{file}: {unknown[0]} is no training case; mend the file or delete it")
    double = sorted(name for name in set(listed) if listed.count(name) > 1)
    if double:
        raise DatasetError(f"{file}: {double[0]} is there twice")
    if len(set(names)) - len(listed) < LEAST_LEFT:
        raise DatasetError(f"{file}: leaves fewer than {LEAST_LEFT} cases to train on; mend the file")
    return tuple(sorted(listed))


def without_cases(dataset: Dataset, names: Collection[str]) -> Dataset:
    """Returns the data set without some of its training cases."""
    return replace(dataset, training=tuple(case for case in dataset.training if case.name not in names))


def without_measured(fingerprint: DatasetFingerprint, names: Collection[str]) -> DatasetFingerprint:
    """Returns the fingerprint without some cases; its hash stays that of all data."""
    return replace(fingerprint, cases=tuple(case for case in fingerprint.cases if case.name not in names))
