"""From a raw data set to a plan, folds, a store of prepared cases."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kneecascade.console import say, show_table, warn
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import DatasetFingerprint
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.errors import DatasetError, InputError, PlanError, SettingsError
from kneecascade.files import read_json, write_json
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.pipeline.plan_summary import say_plan
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.examine import examine_dataset
from kneecascade.planning.fingerprint import data_hash, hash_cases
from kneecascade.planning.folds import Subjects, read_or_make_splits, read_subjects
from kneecascade.planning.integrity import Problem
from kneecascade.planning.intensities import NO_FILTER, parse_filters, parse_normalizations, with_intensities
from kneecascade.planning.plan_file import read_plan, write_plan
from kneecascade.planning.planner import DEFAULT_MEMORY_GB, make_plan
from kneecascade.planning.processes import (
    default_workers,
    map_in_processes,
    map_in_threads,
    workers_kept,
)
from kneecascade.planning.set_aside import choose_test_set, read_test_set, without_cases, without_measured
from kneecascade.planning.sides import side_of_labels, side_problems
from kneecascade.preprocessing.store import case_key, is_current, write_case
from kneecascade.preprocessing.transform import fine_image, prepare, prepare_labels
from kneecascade.workspace import FINGERPRINT, PLAN, SPLITS, STORE, TEST, UNEDITED, Workspace


@dataclass(frozen=True)
class PlanSettings:
    """One run of kc_plan_and_preprocess.

    Attributes:
        memory_gb: memory that a training step may take.
        workers: processes; None for as many as there are processors, at most four.
        plan_only: stop before cases are prepared.
        replan: make a new plan even where plan.json was edited by hand.
        fine_depth: of the fine encoder, instead of the planner's choice.
        fine_width: of the fine encoder, instead of the planner's choice.
        denoise: filters before normalisation: "none", "median", "curvature", "nlm", "n4" or a chain of
            them such as "n4+curvature".
        test_fraction: share of the training cases to set aside as a test set; None for what test.json says.
        normalization: one choice for all channels or one a channel; None for what the channels' names say.
    """

    memory_gb: float = DEFAULT_MEMORY_GB
    workers: int | None = None
    plan_only: bool = False
    replan: bool = False
    fine_depth: int | None = None
    fine_width: int | None = None
    denoise: str = NO_FILTER
    normalization: tuple[str, ...] | None = None
    test_fraction: float | None = None


def plan_and_preprocess(
    workspace: Workspace, dataset: str, settings: PlanSettings | None = None
) -> CascadePlan:
    """Checks, measures, plans, splits, prepares; what is done already is not done again.

    Args:
        workspace: where things lie.
        dataset: "1", "001" or "Dataset001_Name".
        settings: None for the defaults.

    Raises:
        DatasetError: the data set is not sound (all problems are shown in a table first and
            nothing is written), or splits.json does not fit it.
        PlanError: an edited plan.json is broken.
        SettingsError: no plan fits the memory, or a flag cannot be used.
    """
    settings = settings or PlanSettings()
    workers = settings.workers or default_workers()
    raw = read_dataset(workspace.dataset_folder(dataset))
    _check(settings, len(raw.channel_names))
    folder = workspace.preprocessed / raw.name
    # a data set seen for the first time needs its processes soon
    first = None if (folder / FINGERPRINT).is_file() else _nothing
    with workers_kept(workers, len(raw.training) + len(raw.test), first):
        return _plan_and_preprocess(raw, folder, settings, workers)


def _nothing() -> None:
    """What a process does that is to load this module."""


def _plan_and_preprocess(raw: Dataset, folder: Path, settings: PlanSettings, workers: int) -> CascadePlan:
    names = [case.name for case in raw.training]
    subjects = read_subjects(raw.folder, names)  # before anything is written
    fingerprint = _fingerprint(raw, folder / FINGERPRINT, workers)
    aside = _set_aside(raw, folder, settings.test_fraction, subjects)
    raw, fingerprint = without_cases(raw, aside), without_measured(fingerprint, aside)
    plan = _plan(raw, fingerprint, folder, settings, workers)
    if aside:
        write_json(folder / TEST, {"test": aside})
    names = [case.name for case in raw.training]
    official = None if aside else raw.folder / SPLITS  # the source's own folds deal all cases
    splits = read_or_make_splits(folder / SPLITS, names, subjects, official)
    if not settings.plan_only:
        _prepare_all(raw, plan, folder / STORE, workers)
    say_plan(plan, fingerprint, len(splits))
    if aside:
        say(f"Test set: {len(aside)} cases in {TEST}, which neither plan nor folds have seen")
    _say_next(raw.identifier, folder, settings.plan_only)
    return plan


def _check(settings: PlanSettings, channels: int) -> None:
    """Finds settings that no plan takes before anything is measured."""
    if not settings.memory_gb > 0:
        raise SettingsError(f"--memory-gb {settings.memory_gb:g}: must be a number of GB above 0")
    parse_filters(settings.denoise)
    if settings.normalization is not None:
        parse_normalizations(settings.normalization, channels)


def _say_next(identifier: int, folder: Path, plan_only: bool) -> None:
    say(f"Everything is in {folder}")
    if plan_only:
        say(f"Next: kc_plan_and_preprocess -d {identifier} prepares the cases")
    else:
        say(f"Next: kc_train {identifier} 0 trains fold 0 (all folds: kc_train {identifier} all)")


def prepare_case(case_and_key: tuple[Case, str], plan: CascadePlan, store: Path) -> None:
    """Prepares one training case into the store.

    Args:
        case_and_key: a case with what `preprocessing.store.case_key` returned for it.
        plan: of the cascade.
        store: folder of prepared cases.

    Raises:
        DatasetError: the case has no label file.
        ImageError: a file cannot be read, or does not fit the plan.
    """
    case, key = case_and_key
    if case.label is None:
        raise DatasetError(f"{case.name}: a training case needs a label file")
    reference = read_labels(case.label)
    turned = to_canonical(reference.array, *canonical_axes(reference.geometry))
    side = side_of_labels(turned, plan.labels) or case.side
    prepared = prepare(read_volume(case.images), plan, case.name, side)
    coarse, fine = prepare_labels(reference, prepared.trace, plan, case.name)
    write_case(store, prepared, fine_image(prepared), coarse, fine, plan, key)


def _fingerprint(raw: Dataset, file: Path, workers: int) -> DatasetFingerprint:
    """Returns the stored fingerprint where no file has changed, else checks and measures everything."""
    hashes = hash_cases(raw, workers)
    known = _stored(file)
    if known is not None and known.data_hash == data_hash(raw, hashes):
        _require_sides(raw, known)
        say(f"{raw.name}: {len(raw.training)} training cases, unchanged since they were checked")
        return known
    problems, found = examine_dataset(raw, hashes, workers)
    if found is None:
        raise _refusal(raw, problems)
    _require_sides(raw, found)
    for k, name in enumerate(raw.labels.foreground):
        if not any(case.labels[k].volume_mm3 for case in found.cases):
            warn(f"{raw.name}: no training case holds the label {name}; it cannot be learned")
    write_json(file, to_plain(found))
    tested = f", {len(raw.test)} test cases" if raw.test else ""
    say(f"{raw.name}: {len(raw.training)} training cases{tested}, no problem found")
    return found


def _require_sides(raw: Dataset, fingerprint: DatasetFingerprint) -> None:
    problems = side_problems(raw, fingerprint)
    if problems:
        raise _refusal(raw, problems)


def _stored(file: Path) -> DatasetFingerprint | None:
    try:
        return from_plain(DatasetFingerprint, read_json(file))
    except (InputError, ValueError):  # missing, or written by another version: measured again
        return None


def _refusal(raw: Dataset, problems: list[Problem]) -> DatasetError:
    rows = sorted((p.case, p.file, p.what) for p in problems)
    show_table(f"Problems in {raw.name}", ["case", "file", "problem"], rows)
    cases = len({p.case for p in problems} - {raw.name})
    things = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    return DatasetError(f"{raw.name}: {things} in {cases} of its cases (listed above); nothing was written")


def _set_aside(
    raw: Dataset, folder: Path, fraction: float | None, subjects: Subjects | None
) -> tuple[str, ...]:
    """Returns the test set: the one in test.json, else one drawn anew where a fraction is asked for."""
    names = [case.name for case in raw.training]
    there = read_test_set(folder / TEST, names)
    if fraction is None:
        return there
    drawn = choose_test_set(names, fraction, subjects)
    if drawn == there:
        return there
    if (folder / TEST).is_file():
        raise SettingsError(
            f"--test-fraction: {folder / TEST} holds other cases; delete it and {SPLITS} first"
        )
    if (folder / SPLITS).is_file():
        raise SettingsError(f"--test-fraction: {folder / SPLITS} deals all cases into folds; delete it first")
    return drawn


def _plan(
    raw: Dataset, fingerprint: DatasetFingerprint, folder: Path, settings: PlanSettings, workers: int
) -> CascadePlan:
    filters = parse_filters(settings.denoise)
    words = settings.normalization
    choices = parse_normalizations(words, len(raw.channel_names)) if words else None
    fresh = make_plan(raw, fingerprint, settings.memory_gb, settings.fine_depth, settings.fine_width)
    # without folds the cases that were measured may have been others
    known = _known(folder / UNEDITED, fingerprint.data_hash) if (folder / SPLITS).is_file() else None
    fresh = with_intensities(fresh, raw.training, filters, choices, known, workers)
    return _keep_edited(folder, fresh, settings.replan)


def _known(file: Path, data_hash: str) -> CascadePlan | None:
    """Returns an earlier plan of the same data, or None."""
    try:
        plan = read_plan(file)
    except PlanError:
        return None
    return plan if plan.data_hash == data_hash else None


def _keep_edited(folder: Path, fresh: CascadePlan, replan: bool) -> CascadePlan:
    """Returns the user's plan where plan.json was edited, else writes the fresh one.

    What the planner wrote stays beside it in plan_unedited.json: comparing both tells an edit
    from a plan that only is older.
    """
    file, unedited = folder / PLAN, folder / UNEDITED
    if not replan and file.is_file() and unedited.is_file() and _json_or_none(file) != read_json(unedited):
        plan = read_plan(file)
        if plan.data_hash != fresh.data_hash:
            raise PlanError(f"{file}: was edited, and the data have changed since; --replan makes a new one")
        say(f"{file} was edited: it is kept (--replan makes a new one)")
        return plan
    write_plan(fresh, unedited)
    write_plan(fresh, file)
    return fresh


def _json_or_none(file: Path) -> object:
    """Returns the file's JSON, or None where it is none (a broken edit is an edit too)."""
    try:
        return read_json(file)
    except InputError:
        return None


def _prepare_all(raw: Dataset, plan: CascadePlan, store: Path, workers: int) -> None:
    """Prepares the cases that the store lacks or holds from other files or another plan."""
    keys = map_in_threads(partial(case_key, plan=plan), raw.training, workers, "Reading files")
    pairs = zip(raw.training, keys, strict=True)
    missing = [(case, key) for case, key in pairs if not is_current(store, case.name, key)]
    for left_behind in store.glob(".writing_*"):  # by a run that was ended
        shutil.rmtree(left_behind, ignore_errors=True)
    map_in_processes(partial(prepare_case, plan=plan, store=store), missing, workers, "Preparing")
    size = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
    there = len(raw.training) - len(missing)
    kept = f", {there} were there already" if there else ""
    say(f"Prepared {len(missing)} cases{kept}; the store takes {size / 1e6:.0f} MB")
