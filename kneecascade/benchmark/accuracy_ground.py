"""What all runs of an accuracy comparison share: plan, fold 0, the cases that are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from kneecascade.benchmark.speed_phantoms import link
from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.plan import CascadePlan
from kneecascade.errors import DatasetError
from kneecascade.evaluation.cases import Pair, score_pair
from kneecascade.evaluation.measures import CaseScores, MeasureSettings, cartilage_labels
from kneecascade.pipeline.fold import Fold, check_store, choose_folds
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_or_make_splits, read_subjects
from kneecascade.planning.plan_file import read_plan
from kneecascade.planning.processes import default_workers, map_in_processes
from kneecascade.planning.set_aside import read_test_set, without_cases
from kneecascade.planning.subjects import FILE as SUBJECTS_FILE
from kneecascade.planning.subjects import read_subject_rows
from kneecascade.preprocessing.store import StoredCase, open_case
from kneecascade.workspace import PLAN, SPLITS, STORE, TEST, Workspace

Scored = Literal["test", "held-out"]


@dataclass(frozen=True)
class Ground:
    """The same for every run.

    Attributes:
        raw: the data set, without cases that were set aside.
        plan: of the data set.
        fold: fold 0; its folder is not used.
        store: of the prepared cases.
        scored: the cases with references that are predicted and scored.
        subjects: who a case is, by name; cases that are not in it are their own subjects.
    """

    raw: Dataset
    plan: CascadePlan
    fold: Fold
    store: Path
    scored: tuple[Case, ...]
    subjects: dict[str, str]

    def check_plan(self, plan: CascadePlan) -> None:
        """Checks that the store fits a changed plan.

        Raises:
            InputError: the change is one of grids or grey values, and cases are prepared otherwise.
        """
        check_store(self.raw, plan, self.store)

    def opened(self, held_out: bool) -> list[StoredCase]:
        """Returns the prepared training or held-out cases."""
        names = [case.name for case in self.fold.held_out] if held_out else self.fold.training
        return [open_case(self.store, name) for name in names]

    def gather_images(self, folder: Path) -> Path:
        """Puts the scored cases' images into a folder, with subjects.csv, and returns it."""
        for case in self.scored:
            for image in case.images:
                if not (folder / image.name).is_file():
                    link(image, folder / image.name)
        table = self.raw.folder / SUBJECTS_FILE
        if table.is_file():
            link(table, folder / SUBJECTS_FILE)
        return folder

    def score(self, predictions: Path) -> dict[str, CaseScores]:
        """Scores the predicted label files.

        Raises:
            DatasetError: a case was not predicted, or cannot be scored.
        """
        ending, labels = self.raw.file_ending, self.raw.labels
        pairs = [Pair(c.name, c.label, predictions / f"{c.name}{ending}") for c in self.scored if c.label]
        settings = MeasureSettings(cartilage=cartilage_labels(labels))
        score = partial(score_pair, labels=labels, settings=settings)
        found: dict[str, CaseScores] = {}
        for pair, scores in zip(pairs, map_in_processes(score, pairs, _workers(), "scoring"), strict=True):
            if isinstance(scores, str):
                raise DatasetError(f"{pair.name}: {scores}")
            found[pair.name] = scores
        return found


def _workers() -> int:
    return default_workers()


def read_ground(workspace: Workspace, dataset: str, scored: Scored) -> Ground:
    """Reads plan, folds and cases of a prepared data set.

    Args:
        workspace: where they lie.
        dataset: "1", "001" or "Dataset001_Name".
        scored: the test set, which chooses nothing, or fold 0's held-out cases, to choose by.

    Raises:
        PlanError: it was not planned.
        DatasetError: there is nothing to score on.
    """
    name = workspace.dataset_name(dataset)
    folder = workspace.preprocessed / name
    plan, raw = read_plan(folder / PLAN), read_dataset(workspace.dataset_folder(dataset))
    aside = read_test_set(folder / TEST, [case.name for case in raw.training])
    test = (*raw.test, *(case for case in raw.training if case.name in aside))
    raw = without_cases(raw, aside)
    names = [case.name for case in raw.training]
    splits = read_or_make_splits(folder / SPLITS, names, read_subjects(raw.folder, names))
    (fold,) = choose_folds(raw, splits, [0], folder)
    cases = _labelled(test if scored == "test" else fold.held_out)
    if not cases:
        raise DatasetError(
            f"{raw.folder}: no test case with a reference; put images into imagesTs and references into "
            "labelsTs, or plan with --test-fraction, or score on --cases held-out"
        )
    rows = read_subject_rows(raw.folder)
    people = {name: row.subject for name, row in rows.items() if row.subject}
    return Ground(raw, plan, fold, folder / STORE, cases, people)


def _labelled(cases: Sequence[Case]) -> tuple[Case, ...]:
    return tuple(case for case in cases if case.label is not None and case.label.is_file())
