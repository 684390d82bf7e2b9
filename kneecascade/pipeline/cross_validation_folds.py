"""The folds of a cross-validation: trained, with their held-out cases segmented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kneecascade.console import say
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.settings import PredictSettings, TrainSettings
from kneecascade.errors import CheckpointError, InputError, PlanError
from kneecascade.evaluation.cases import Pair
from kneecascade.files import read_json
from kneecascade.inference.folds import is_trained, weights_hash
from kneecascade.pipeline.fold import Fold, choose_folds
from kneecascade.pipeline.train import train_folds
from kneecascade.pipeline.validate import validate_fold
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_splits
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.workspace import SPLITS, TEST, Workspace


@dataclass(frozen=True)
class Study:
    """A data set with its folds.

    Attributes:
        raw: all of it.
        training: without the test set.
        aside: names of the cases in test.json.
        preprocessed: folder of the fingerprint and the splits.
        model: results/Dataset001_Name.
        folds: those that take part.
        all_folds: whether these are all there are.
    """

    raw: Dataset
    training: Dataset
    aside: tuple[str, ...]
    preprocessed: Path
    model: Path
    folds: tuple[Fold, ...]
    all_folds: bool


def open_study(workspace: Workspace, dataset: str, folds: Sequence[int] | None = None) -> Study:
    """Reads data set, test set and folds.

    Args:
        workspace: where things lie.
        dataset: "1", "001" or "Dataset001_Name".
        folds: numbers, or None for all.

    Raises:
        PlanError: there are no folds yet.
        InputError: a file is broken.
        SettingsError: there is no such fold.
    """
    name = workspace.dataset_name(dataset)
    folder, model = workspace.preprocessed / name, workspace.results / name
    raw = read_dataset(workspace.dataset_folder(dataset))
    if not (folder / SPLITS).is_file():
        raise PlanError(f"{folder / SPLITS}: no folds; run kc_plan_and_preprocess -d {dataset} first")
    aside = read_test_set(folder / TEST, [case.name for case in raw.training])
    training = without_cases(raw, aside)
    splits = read_splits(folder / SPLITS, [case.name for case in training.training])
    chosen = choose_folds(training, splits, folds, model)
    return Study(raw, training, aside, folder, model, tuple(chosen), len(chosen) == len(splits))


def make_ready(
    study: Study, workspace: Workspace, predict: PredictSettings, train: TrainSettings | None
) -> None:
    """Trains folds that are not trained, where that is wanted, and segments held-out cases that are not.

    Raises:
        CheckpointError: a fold is not trained; the message names the command.
        InputError: a fold was trained with another split.
    """
    for fold in study.folds:
        _check_split(fold, study.preprocessed / SPLITS)
    missing = [fold.number for fold in study.folds if not is_trained(fold.folder)]
    if missing and train is None:
        raise CheckpointError(_how_to_train(study, missing))
    if missing and train is not None:
        train_folds(workspace, study.raw.name, missing, train)
    for fold in study.folds:
        why = _not_validated(fold, study.raw.file_ending)
        if why:
            say(f"fold {fold.number}: {why}; its held-out cases are segmented")
            validate_fold(fold.folder, fold.held_out, predict)


def held_out_pairs(study: Study) -> list[Pair]:
    """Returns reference and prediction of every held-out case, fold by fold."""
    return [
        Pair(case.name, case.label, fold.folder / "validation" / f"{case.name}{study.raw.file_ending}")
        for fold in study.folds
        for case in fold.held_out
        if case.label is not None
    ]


def fold_marks(study: Study) -> dict[str, str]:
    """Returns the hash of the weights of each fold by its name."""
    return {fold.folder.name: weights_hash([fold.folder]) for fold in study.folds}


def selections(study: Study) -> dict[str, str]:
    """Returns what was selected on the held-out cases of each fold, by its name."""
    files = {fold.folder.name: fold.folder / "validation" / "summary.json" for fold in study.folds}
    return {name: str(read_json(file).get("selection", "")) for name, file in files.items()}


def selections_in_words(told: Mapping[str, str]) -> str:
    """Returns one line from what `selections` returned; folds are named where they differ."""
    folds: dict[str, list[str]] = {}
    for name, words in told.items():
        folds.setdefault(words, []).append(name)
    if len(folds) == 1:
        return next(iter(folds))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in folds.items())


def _how_to_train(study: Study, missing: Sequence[int]) -> str:
    there = [fold.number for fold in study.folds if fold.number not in missing]
    numbers = ",".join(map(str, missing))
    others = f", or take the others with --folds {','.join(map(str, there))}" if there else ""
    return (
        f"{study.model}: not trained: fold {numbers}; run kc_train {study.raw.identifier} {numbers} "
        f"--continue, or add --train{others}"
    )


def _check_split(fold: Fold, splits_file: Path) -> None:
    """Checks that a fold was trained without its held-out cases.

    Raises:
        InputError: it was not, or its run.json is broken.
    """
    file = fold.folder / "run.json"
    if not file.is_file():
        return
    run = read_json(file)
    trained_on = run.get("training") if isinstance(run, dict) else None
    seen = sorted({case.name for case in fold.held_out} & set(trained_on or ()))
    if seen:
        raise InputError(
            f"{file}: the fold was trained on {seen[0]}, which {splits_file} holds out of it now; put the "
            "old splits.json back, or train anew with kc_train --overwrite"
        )


def _not_validated(fold: Fold, ending: str) -> str:
    """Returns why the predictions of a fold's held-out cases cannot be taken; "" where they can."""
    folder = fold.folder / "validation"
    if not (folder / "summary.json").is_file():
        return "not validated"
    summary = read_json(folder / "summary.json")
    if summary.get("weights_hash", weights_hash([fold.folder])) != weights_hash([fold.folder]):
        return "validated with other weights"
    if set(summary.get("cases", ())) != {case.name for case in fold.held_out}:
        return "validated on other cases"
    lost = [case for case in fold.held_out if not _file(folder, case, ending).is_file()]
    return f"{_file(folder, lost[0], ending).name} is missing" if lost else ""


def _file(folder: Path, case: Case, ending: str) -> Path:
    return folder / f"{case.name}{ending}"
