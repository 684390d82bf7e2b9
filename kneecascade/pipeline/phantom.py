"""A raw data set of phantoms: procedural knees, or given anatomies with the same contrast."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

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
from kneecascade.pipeline.phantom_recipe import Recipe, keep_recipe
from kneecascade.planning.processes import default_workers, map_in_processes

DEFAULT = Recipe()
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
    output: Path, count: int, recipe: Recipe = DEFAULT, workers: int | None = None
) -> list[PhantomCase]:
    """Writes a raw data set; cases that are there already are kept.

    Args:
        output: the data set's folder.
        count: procedural knees to train on, left and right in turn; not used with label maps.
        recipe: how they are made; the same as that of the cases that are there.
        workers: processes.

    Raises:
        SettingsError: a number that cannot be used, or another recipe than that of the folder's cases.
        InputError: no label map in the anatomy's folder, or one that is no knee, or of unknown side with
            `halves`.
    """
    _require_usable(count, recipe.tests, recipe.spacing_mm)
    cases = _given(recipe) if recipe.anatomy else _procedural(count, recipe.tests)
    keep_recipe(output, recipe, count)
    names = NAMES[:7] if recipe.anatomy else NAMES
    work = partial(_make, output, recipe, len(names))
    todo = [case for case in cases if not _finished(case, output, recipe.borders)]
    map_in_processes(work, todo, workers or default_workers(), "phantoms")
    _describe(cases, output, halved_names(names) if recipe.halves else names, recipe.contrast)
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


def _given(recipe: Recipe) -> list[PhantomCase]:
    """Lists the cases of a folder of maps; a name without its last part is the subject."""
    folder = recipe.anatomy or Path()
    maps = sorted(p for p in folder.glob("*") if p.name.endswith(ENDINGS)) if folder.is_dir() else []
    if not maps:
        raise InputError(f"{folder}: no label maps ({', '.join(ENDINGS)}) there")
    stems = {path: path.name.removesuffix(".gz").rsplit(".", 1)[0] for path in maps}
    subjects = {path: stem.rsplit("_", 1)[0] for path, stem in stems.items()}
    held = _held_out(list(subjects.values()), recipe.tests, recipe.seed)
    cases = []
    for path in maps:
        side = side_of(read_geometry(path))
        for mirrored in (False, True) if recipe.mirror else (False,):
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


def _make(output: Path, recipe: Recipe, lateral: int, case: PhantomCase) -> None:
    sample = _sample(case, recipe)
    image, labels, truth = _paths(case, output)
    grey = np.rint(sample.image.array[0]).astype(np.int16)
    for drawn, path in ((sample.shown, _borders(labels)), (sample.labels, labels)):
        if drawn is not None:
            whole = split_tibial_cartilage(drawn, sample.side, lateral) if recipe.halves else drawn
            write_labels(whole, path)
    if sample.truth:
        write_json(truth, {"side": sample.side, **sample.truth})
    # the image last: where it is, its case is finished
    write_channel(grey, sample.image.geometry, image)


def _sample(case: PhantomCase, recipe: Recipe) -> Sample:
    seed = (recipe.seed, case.number)
    if case.anatomy is None:
        return procedural_sample(seed, *SIZES[recipe.size], case.side, contrast=recipe.contrast)
    try:
        given = read_labels(case.anatomy)
        looks = (recipe.contrast, recipe.borders)
        return anatomy_sample(given, seed, recipe.spacing_mm, case.mirrored, case.side, *looks)
    except InputError as error:
        raise InputError(f"{case.anatomy}: {error}") from error


def _paths(case: PhantomCase, output: Path) -> tuple[Path, Path, Path]:
    kind = "Ts" if case.test else "Tr"
    image = output / f"images{kind}" / f"{case.name}_0000.nii.gz"
    return image, output / f"labels{kind}" / f"{case.name}.nii.gz", output / "truth" / f"{case.name}.json"


def _borders(labels: Path) -> Path:
    return labels.parent.with_name(labels.parent.name.replace("labels", "borders")) / labels.name


def _finished(case: PhantomCase, output: Path, borders: bool) -> bool:
    image, labels, _ = _paths(case, output)
    wanted = [image, labels] + ([_borders(labels)] if borders else [])
    return all(file.is_file() for file in wanted)


def _describe(cases: list[PhantomCase], output: Path, names: tuple[str, ...], contrast: str) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("case", "subject", "side"))
    for case in cases:
        other = {"left": "right", "right": "left"}.get(case.side, case.side)
        rows.writerow((case.name, case.subject, other if case.mirrored else case.side))
    write_text(output / "subjects.csv", text.getvalue())
    description: dict[str, Any] = {
        "channel_names": {"0": contrast},
        "labels": {name: value for value, name in enumerate(names)},
        "numTraining": sum(not case.test for case in cases),
        "file_ending": ".nii.gz",
        "description": f"simulated {contrast} contrast, "
        + ("given anatomies" if cases[0].anatomy else "procedural"),
    }
    write_json(output / "dataset.json", description)
