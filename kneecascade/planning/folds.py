"""Splits the training cases into folds: subjects kept together, grades and sites spread evenly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kneecascade.console import warn
from kneecascade.errors import DatasetError
from kneecascade.files import read_json, write_json
from kneecascade.planning.fold_swaps import spread_further
from kneecascade.planning.subjects import FILE as SUBJECTS_FILE
from kneecascade.planning.subjects import SubjectRow, read_subject_rows

FOLDS = 5
SEED = 12345

Split = dict[str, list[str]]
Subjects = Mapping[str, SubjectRow]


def make_splits(
    names: Sequence[str], folds: int = FOLDS, seed: int = SEED, subjects: Subjects | None = None
) -> list[Split]:
    """Deals the cases into folds of nearly equal size, with grades and sites spread evenly over them.

    Args:
        names: training cases.
        folds: wanted; with fewer subjects there are as many folds as subjects, at least two.
        seed: of the shuffling; the same names, rows and seed give the same folds.
        subjects: row of each case in subjects.csv; a case that is not in it is its own subject.

    Returns:
        One {"train": [...], "val": [...]} a fold; every case is in "val" exactly once.

    Raises:
        DatasetError: there are fewer than two subjects.
    """
    groups = _by_subject(names, subjects or {})
    if len(groups) < 2:
        raise DatasetError(f"{len(groups)} training subject: at least two are needed to train and validate")
    keys = sorted(groups)
    random.Random(seed).shuffle(keys)
    traits = {key: _traits(groups[key], subjects or {}) for key in keys}
    often = Counter(trait for key in keys for trait in traits[key])
    held_out: list[list[str]] = [[] for _ in range(min(folds, len(groups)))]
    loads = [0] * len(held_out)
    counts: list[Counter[str]] = [Counter() for _ in held_out]

    def load(k: int, key: str) -> tuple[int, float]:
        return loads[k], sum(counts[k][trait] / often[trait] for trait in traits[key])

    # Large groups first, and alike ones after each other, so that they go to different folds; each to a
    # smallest fold, of these to the one with least of its kind. Sorting is stable: the shuffle decides ties.
    for key in sorted(keys, key=lambda key: (-len(groups[key]), sorted(traits[key]))):
        fold = min(range(len(held_out)), key=lambda k: load(k, key))
        held_out[fold].append(key)
        loads[fold] += len(groups[key])
        counts[fold].update(traits[key])
    spread_further(held_out, {key: len(group) for key, group in groups.items()}, traits)
    return [_split(names, [name for key in part for name in groups[key]]) for part in held_out]


def _split(names: Sequence[str], held_out: Sequence[str]) -> Split:
    return {"train": sorted(set(names) - set(held_out)), "val": sorted(held_out)}


def _by_subject(names: Sequence[str], subjects: Subjects) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        # a prefix keeps a lone case apart from a subject that happens to bear its name
        key = f"subject {subjects[name].subject}" if name in subjects else f"case {name}"
        groups.setdefault(key, []).append(name)
    return groups


def _traits(names: Sequence[str], subjects: Subjects) -> list[str]:
    """Returns the grade and the site of every case of a group."""
    rows = [subjects[name] for name in names if name in subjects]
    told = [(kind, getattr(row, kind)) for row in rows for kind in ("grade", "site")]
    return [f"{kind} {value}" for kind, value in told if value]


def read_or_make_splits(
    file: Path, names: Sequence[str], subjects: Subjects | None, official: Path | None = None
) -> list[Split]:
    """Reads splits.json, or takes the data set's own, or makes folds; writes what it did not read.

    Args:
        file: splits.json of the preprocessed data set.
        names: training cases.
        subjects: row of each case in subjects.csv.
        official: splits.json of the raw data set, which need not exist.

    Raises:
        DatasetError: the file names cases that are not there, or is otherwise unusable.
        InputError: the file is not JSON.
    """
    if file.is_file():
        splits = read_splits(file, names)
        _warn_of_shared_subjects(splits, subjects or {}, file)
        return splits
    given = official is not None and official.is_file()
    splits = read_splits(official, names) if official and given else make_splits(names, subjects=subjects)
    _warn_of_shared_subjects(splits, subjects or {}, file)
    write_json(file, splits)
    return splits


def read_splits(file: Path, names: Sequence[str]) -> list[Split]:
    """Reads splits.json, made here or by the user (nnU-Net's splits_final.json fits as well).

    Raises:
        DatasetError: it is no list of {"train": [...], "val": [...]}; a fold trains on a case it
            validates, is empty, names a case twice or one that is not there; or a case is in no fold.
        InputError: there is no such file, or it is not JSON.
    """
    splits = read_json(file)
    if not isinstance(splits, list) or not splits:
        raise DatasetError(f'{file}: expected a list of {{"train": [...], "val": [...]}}')
    known = set(names)
    for k, split in enumerate(splits):
        _check(split, known, f"{file}: fold {k}")
    missing = sorted(known - {name for split in splits for name in split["train"] + split["val"]})
    if missing:
        raise DatasetError(
            f"{file}: {len(missing)} cases are in no fold, the first is {missing[0]}; add them, set them "
            "aside in test.json, or delete the file for new folds"
        )
    return [{"train": list(split["train"]), "val": list(split["val"])} for split in splits]


def read_subjects(folder: Path, names: Sequence[str]) -> dict[str, SubjectRow] | None:
    """Reads the row of each case from subjects.csv beside dataset.json; None where there is none.

    Raises:
        DatasetError: the file is unusable, or a case is not in it.
    """
    if not (folder / SUBJECTS_FILE).is_file():
        return None
    rows = read_subject_rows(folder)
    missing = [name for name in names if name not in rows or not rows[name].subject]
    if missing:
        file = folder / SUBJECTS_FILE
        raise DatasetError(f"{file}: no subject for {len(missing)} training cases, the first is {missing[0]}")
    return {name: rows[name] for name in names}


def _warn_of_shared_subjects(splits: Sequence[Split], subjects: Subjects, file: Path) -> None:
    for k, split in enumerate(splits):
        people = [{subjects[n].subject for n in split[part] if n in subjects} for part in ("train", "val")]
        shared = sorted(people[0] & people[1])
        if shared:
            warn(
                f"{file}: fold {k} trains on and validates scans of {len(shared)} subjects, the first is "
                f"{shared[0]}; its scores are too good"
            )


def _check(split: object, known: set[str], where: str) -> None:
    if not isinstance(split, dict) or not all(isinstance(split.get(k), list) for k in ("train", "val")):
        raise DatasetError(f"{where}: needs the lists train and val")
    odd = [name for name in split["train"] + split["val"] if not isinstance(name, str)]
    if odd:
        raise DatasetError(f"{where}: {odd[0]!r} is no name of a case")
    for part in ("train", "val"):
        for name in split[part]:
            if name not in known:
                raise DatasetError(
                    f"{where}: {name} is no training case, or is in test.json; mend the file or delete it"
                )
            if split[part].count(name) > 1:
                raise DatasetError(f"{where}: {name} is twice in {part}")
    train, val = set(split["train"]), set(split["val"])
    if train & val:
        raise DatasetError(f"{where}: {min(train & val)} is in train and in val")
    if not train or not val:
        raise DatasetError(f"{where}: train and val must not be empty")
