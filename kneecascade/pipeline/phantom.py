"""A raw data set of phantoms: procedural knees, or given anatomies with the same contrast."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kneecascade.console import say
from kneecascade.core.geometry import Float3, Int3
from kneecascade.errors import InputError, SettingsError
from kneecascade.files import write_json, write_text
from kneecascade.imaging.files import read_geometry, read_labels, write_channel, write_labels
from kneecascade.phantom.anatomy import NAMES
from kneecascade.phantom.grids import side_of
from kneecascade.phantom.halves import halved_names, split_tibial_cartilage
from kneecascade.phantom.sample import Sample, anatomy_sample, procedural_sample
from kneecascade.planning.processes import default_workers, map_in_processes

Size = Literal["small", "full"]
SIZES: dict[str, tuple[Int3, Float3]] = {
    "small": ((112, 112, 64), (1.0, 1.0, 1.4)),
    "full": ((384, 384, 160), (0.365, 0.365, 0.7)),
}
ENDINGS = (".nii.gz", ".nii", ".mha", ".nrrd")


@dataclass(frozen=True)
class PhantomCase:
    """One case to be made.

    Attributes:
        name: of its files.
        subject: cases of a subject stay together.
        number: goes into its seed.
        side: "left", "right" or "unknown"; of `anatomy` as it is, before it is mirrored.
        anatomy: label map to render, or None for a procedural knee.
        mirrored: whether the map is mirrored first.
        test: whether it goes to imagesTs.
    """

    name: str
    subject: str
    number: int
    side: str
    anatomy: Path | None = None
    mirrored: bool = False
    test: bool = False


def make_phantoms(
    output: Path,
    count: int,
    seed: int = 0,
    tests: int = 0,
    size: Size = "small",
    anatomy: Path | None = None,
    mirror: bool = False,
    spacing_mm: Float3 | None = None,
    workers: int | None = None,
    halves: bool = False,
) -> list[PhantomCase]:
    """Writes a raw data set; cases that are there already are kept.

    Args:
        output: the data set's folder.
        count: procedural knees to train on, left and right in turn; not used with `anatomy`.
        seed: of everything random.
        tests: cases for imagesTs, beside `count`; of an `anatomy`, whole subjects until there are so many.
        size: grid of procedural knees.
        anatomy: folder of label maps to render, one case each.
        mirror: adds a mirrored copy of every map, a left knee of a right one.
        spacing_mm: (z, y, x) of the canonical grid that maps are rendered to; None for their own.
        workers: processes.
        halves: tell the medial from the lateral tibial cartilage.

    Raises:
        SettingsError: a number that cannot be used.
        InputError: no label map in `anatomy`, or one that is no knee, or of unknown side with `halves`.
    """
    _require_usable(count, tests, spacing_mm)
    cases = _given(anatomy, tests, mirror, seed) if anatomy else _procedural(count, tests)
    names = NAMES[:7] if anatomy else NAMES
    work = partial(_make, output, seed, size, spacing_mm, len(names) if halves else None)
    todo = [case for case in cases if not _finished(case, output)]
    map_in_processes(work, todo, workers or default_workers(), "phantoms")
    _describe(cases, output, halved_names(names) if halves else names)
    say(f"{output}: {len(cases)} cases, {sum(case.test for case in cases)} of them to test on")
    return cases


def _require_usable(count: int, tests: int, spacing_mm: Float3 | None) -> None:
    if count < 1 or tests < 0:
        raise SettingsError(
            f"-n {count} --test {tests}: at least one knee to make, none fewer than 0 to test"
        )
    if spacing_mm is not None and min(spacing_mm) <= 0:
        raise SettingsError(f"--spacing {spacing_mm}: must be above 0")


def _procedural(count: int, tests: int) -> list[PhantomCase]:
    return [
        PhantomCase(f"phantom_{k:03d}", f"phantom_{k:03d}", k, ("right", "left")[k % 2], test=k >= count)
        for k in range(count + tests)
    ]


def _given(folder: Path, tests: int, mirror: bool, seed: int) -> list[PhantomCase]:
    """Lists the cases of a folder of maps; a name without its last part is the subject."""
    maps = sorted(p for p in folder.glob("*") if p.name.endswith(ENDINGS)) if folder.is_dir() else []
    if not maps:
        raise InputError(f"{folder}: no label maps ({', '.join(ENDINGS)}) there")
    stems = {path: path.name.removesuffix(".gz").rsplit(".", 1)[0] for path in maps}
    subjects = {path: stem.rsplit("_", 1)[0] for path, stem in stems.items()}
    held = _held_out(list(subjects.values()), tests, seed)
    cases = []
    for path in maps:
        side = side_of(read_geometry(path))
        for mirrored in (False, True) if mirror else (False,):
            name = stems[path] + ("_mirrored" if mirrored else "")
            # a name, not a place in the list, seeds a case: adding maps changes no other
            number = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
            case = PhantomCase(name, subjects[path], number, side, path, mirrored, subjects[path] in held)
            cases.append(case)
    return cases


def _held_out(subjects: list[str], tests: int, seed: int) -> set[str]:
    order = np.random.default_rng(seed).permutation(sorted(set(subjects)))
    held: set[str] = set()
    for subject in order:
        if sum(s in held for s in subjects) >= tests:
            break
        held.add(str(subject))
    if tests and len(held) == len(set(subjects)):
        raise SettingsError(f"--test {tests}: nothing would be left to train on")
    return held


def _make(
    output: Path, seed: int, size: Size, spacing_mm: Float3 | None, lateral: int | None, case: PhantomCase
) -> None:
    sample = _sample(case, (seed, case.number), size, spacing_mm)
    image, labels, truth = _paths(case, output)
    grey = np.rint(sample.image.array[0]).astype(np.int16)
    drawn = sample.labels
    if lateral is not None:
        drawn = split_tibial_cartilage(drawn, sample.side, lateral)
    write_labels(drawn, labels)
    if sample.truth:
        write_json(truth, {"side": sample.side, **sample.truth})
    # the image last: where it is, its case is finished
    write_channel(grey, sample.image.geometry, image)


def _sample(case: PhantomCase, seed: tuple[int, int], size: Size, spacing_mm: Float3 | None) -> Sample:
    if case.anatomy is None:
        shape, spacing = SIZES[size]
        return procedural_sample(seed, shape, spacing, case.side)
    try:
        return anatomy_sample(read_labels(case.anatomy), seed, spacing_mm, case.mirrored, case.side)
    except InputError as error:
        raise InputError(f"{case.anatomy}: {error}") from error


def _paths(case: PhantomCase, output: Path) -> tuple[Path, Path, Path]:
    kind = "Ts" if case.test else "Tr"
    image = output / f"images{kind}" / f"{case.name}_0000.nii.gz"
    return image, output / f"labels{kind}" / f"{case.name}.nii.gz", output / "truth" / f"{case.name}.json"


def _finished(case: PhantomCase, output: Path) -> bool:
    image, labels, _ = _paths(case, output)
    return image.is_file() and labels.is_file()


def _describe(cases: list[PhantomCase], output: Path, names: tuple[str, ...]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("case", "subject", "side"))
    for case in cases:
        other = {"left": "right", "right": "left"}.get(case.side, case.side)
        rows.writerow((case.name, case.subject, other if case.mirrored else case.side))
    write_text(output / "subjects.csv", text.getvalue())
    description: dict[str, Any] = {
        "channel_names": {"0": "DESS"},
        "labels": {name: value for value, name in enumerate(names)},
        "numTraining": sum(not case.test for case in cases),
        "file_ending": ".nii.gz",
        "description": "simulated DESS contrast, "
        + ("given anatomies" if cases[0].anatomy else "procedural"),
    }
    write_json(output / "dataset.json", description)
