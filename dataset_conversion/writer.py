"""Writes a data set in the raw layout from what a converter found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.console import say, show_table, tracked, warn
from kneecascade.dataset_conversion.case_writer import Record, convert_case, key_of
from kneecascade.dataset_conversion.description import describe, write_subjects
from kneecascade.dataset_conversion.found import Found, SourceCase
from kneecascade.dataset_conversion.labels import written_labels
from kneecascade.errors import DatasetError, InputError, KneecascadeError
from kneecascade.files import read_json, write_json

RECORD = "conversion.json"
SHOWN = 5


@dataclass(frozen=True)
class ConvertSettings:
    """One run of kc_convert_dataset.

    Attributes:
        merge_menisci: write both menisci as one label.
        link: link files that can be taken as they are, instead of copying them.
        dry_run: only tell what would be written.
        skip_broken: leave out cases that cannot be converted.
        official_split: write the source's own folds to splits.json.
        workers: cases that are worked on at once.
    """

    merge_menisci: bool = False
    link: bool = False
    dry_run: bool = False
    skip_broken: bool = False
    official_split: bool = True
    workers: int = 2


def write_dataset(found: Found, raw: Path, identifier: int, settings: ConvertSettings) -> Path:
    """Writes raw/Dataset<identifier>_<Name>; a run that was ended goes on where it was.

    Everything is written under a temporary name, which becomes the folder's when all is there.

    Args:
        found: what to write.
        raw: the workspace's raw folder.
        identifier: the number of the new data set, 1 to 999.
        settings: of the run.

    Returns:
        The new folder; after a dry run it does not exist.

    Raises:
        DatasetError: the number cannot be used, cases cannot be converted (all are told first, and a
            later run tries only these again), or a label is in no case at all.
    """
    folder = _free_folder(raw, identifier, found.name)
    written = written_labels(found.labels, settings.merge_menisci)
    for note in found.notes:
        say(note)
    if settings.dry_run:
        _tell_plan(found, written, folder)
        return folder
    partial = raw / f".writing_{folder.name}"
    head = {"kneecascade": kneecascade.__version__, "source": found.key, "labels": written}
    records = _earlier(partial, head, found)
    broken = _convert_all(found, written, partial, settings, head, records)
    _judge(broken, records, partial, settings.skip_broken)
    _require_all_labels(found, written, records)
    _describe_all(found, written, records, partial, settings.official_split)
    write_json(partial / RECORD, {**head, "left_out": broken, "cases": dict(sorted(records.items()))})
    for left in list(partial.rglob(".writing_*")):  # by a run that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    partial.rename(folder)
    _tell_notes(records)
    return folder


def _describe_all(
    found: Found, written: Mapping[str, int], records: Mapping[str, Record], partial: Path, split: bool
) -> None:
    kept = [case for case in found.cases if case.name in records]
    write_json(partial / "dataset.json", describe(found, written, kept))
    write_subjects(partial / "subjects.csv", kept, {name: r["side"] for name, r in records.items()})
    if found.folds and split:
        write_json(partial / "splits.json", _kept_folds(found.folds, records))


def _free_folder(raw: Path, identifier: int, name: str) -> Path:
    if not 1 <= identifier <= 999:
        raise DatasetError(f"data set number {identifier}: must be from 1 to 999")
    taken = sorted(path.name for path in raw.glob(f"Dataset{identifier:03d}_*"))
    if taken:
        raise DatasetError(f"{raw / taken[0]}: number {identifier} is taken; choose another with -d")
    return raw / f"Dataset{identifier:03d}_{name}"


def _tell_plan(found: Found, written: Mapping[str, int], folder: Path) -> None:
    rows = []
    for part in ("Tr", "Ts"):
        cases = [case for case in found.cases if case.part == part]
        people = len({case.subject for case in cases})
        labelled = sum(case.labelled for case in cases)
        sides = [sum(case.side == side for case in cases) for side in ("left", "right", "unknown")]
        rows.append([f"images{part}", str(len(cases)), str(labelled), str(people), "/".join(map(str, sides))])
    show_table(str(folder), ["", "cases", "labelled", "people", "left/right/unknown"], rows)
    say("labels: " + ", ".join(f"{value} {name}" for name, value in written.items()))
    say(f"licence: {found.licence}")
    absent = [file for case in found.cases for file in case.files if not file.exists()]
    if absent:
        warn(f"{len(absent)} files are missing, the first is {absent[0]}")
    say("nothing was written (--dry-run)")


def _earlier(partial: Path, head: Record, found: Found) -> dict[str, Record]:
    """Returns the records of the cases that an earlier run finished and that are still the same."""
    try:
        before = read_json(partial / RECORD)
    except InputError:
        shutil.rmtree(partial, ignore_errors=True)
        return {}
    if {key: before.get(key) for key in head} != head:
        say(f"{partial}: was begun in another way; starting anew")
        shutil.rmtree(partial)
        return {}
    cases = {case.name: case for case in found.cases if all(file.exists() for file in case.files)}
    kept = {n: r for n, r in before["cases"].items() if n in cases and r["key"] == key_of(cases[n])}
    if kept:
        say(f"{len(kept)} of {len(found.cases)} cases were converted already")
    return kept


def _convert_all(
    found: Found,
    written: Mapping[str, int],
    partial: Path,
    settings: ConvertSettings,
    head: Record,
    records: dict[str, Record],
) -> dict[str, str]:
    """Converts what `records` lacks and adds it there; returns why the others could not be."""
    todo = [case for case in found.cases if case.name not in records]
    broken: dict[str, str] = {}

    def attempt(case: SourceCase) -> Record | str:
        try:
            absent = [file for file in case.files if not file.exists()]
            if absent:
                raise DatasetError(f"{absent[0]}: no such file")
            return convert_case(case, found, written, partial, settings.link)
        except KneecascadeError as error:
            return str(error)

    with ThreadPoolExecutor(max(1, settings.workers)) as pool:
        results = _in_turn(pool, attempt, todo, settings.workers)
        for case, result in tracked(results, found.name, len(todo)):
            if isinstance(result, str):
                broken[case.name] = result
                warn(f"{case.name}: not converted: {result}")
                continue
            records[case.name] = result
            write_json(partial / RECORD, {**head, "cases": records})
    return broken


def _in_turn(
    pool: ThreadPoolExecutor, attempt: Any, todo: Sequence[SourceCase], workers: int
) -> Iterator[tuple[SourceCase, Record | str]]:
    """Yields each case with its result; only a few are under way, so that Ctrl-C ends soon."""
    under_way = []
    for case in todo:
        under_way.append((case, pool.submit(attempt, case)))
        if len(under_way) > workers:
            first, future = under_way.pop(0)
            yield first, future.result()
    for first, future in under_way:
        yield first, future.result()


def _judge(broken: Mapping[str, str], records: Mapping[str, Record], partial: Path, skip: bool) -> None:
    if not records:
        shutil.rmtree(partial, ignore_errors=True)
        first = next(iter(broken.values()), "there is no case")
        raise DatasetError(f"no case could be converted: {first}")
    if broken and not skip:
        name, why = next(iter(broken.items()))
        raise DatasetError(
            f"{len(broken)} cases could not be converted, the first is {name}: {why}; mend them and run this "
            f"again (the other {len(records)} are kept), or leave them out with --skip-broken"
        )
    for part in ("Tr", "Ts") if broken else ():
        count = sum(record["part"] == part for record in records.values())
        say(f"images{part}: {count} cases, without those that could not be converted")


def _require_all_labels(found: Found, written: Mapping[str, int], records: Mapping[str, Record]) -> None:
    for name, value in written.items():
        if value and not any(record["voxels"].get(name) for record in records.values()):
            text = f"{found.key}: the label {name} is in none of the {len(records)} cases"
            if name in found.expected:
                raise DatasetError(f"{text}; the source is not as it should be")
            warn(text)


def _kept_folds(folds: list[dict[str, list[str]]], records: Mapping[str, Record]) -> list[Record]:
    return [{part: [n for n in names if n in records] for part, names in fold.items()} for fold in folds]


def _tell_notes(records: Mapping[str, Record]) -> None:
    noted = [(name, note) for name, record in sorted(records.items()) for note in record["notes"]]
    for name, note in noted[:SHOWN]:
        warn(f"{name}: {note}")
    if len(noted) > SHOWN:
        warn(f"and {len(noted) - SHOWN} more notes, all in {RECORD}")
