"""Where things lie: the raw, preprocessed and results folders and what is inside them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kneecascade.errors import DatasetError

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "BLOSC_NTHREADS",
)

FINGERPRINT, PLAN, UNEDITED, SPLITS, TEST, STORE = (
    "fingerprint.json",
    "plan.json",
    "plan_unedited.json",
    "splits.json",
    "test.json",
    "store",
)
"""Names in the preprocessed folder of a data set."""


@dataclass(frozen=True)
class Workspace:
    """The three folders of nnU-Net's habit; none needs an environment variable.

    Attributes:
        raw: raw data sets, Dataset001_Name each.
        preprocessed: fingerprint.json, plan.json, splits.json and the store of each data set.
        results: trained models, results/Dataset001_Name/fold_0/{coarse,fine,validation}.
    """

    raw: Path
    preprocessed: Path
    results: Path

    def dataset_folder(self, dataset: str) -> Path:
        """Finds the raw folder of "1", "001", "Dataset001_Name".

        Raises:
            DatasetError: none or several fit; the message lists what there is.
        """
        return self.raw / self.dataset_name(dataset)

    def dataset_name(self, dataset: str) -> str:
        """Finds the full name of a data set in the raw, preprocessed or results folder.

        Raises:
            DatasetError: none or several fit; the message lists what there is.
        """
        found = sorted({p.name for root in self._roots() for p in root.glob("Dataset*_*") if p.is_dir()})
        if dataset in found:
            return dataset
        fitting = [n for n in found if dataset.isdigit() and _number(n) == int(dataset)]
        if len(fitting) == 1:
            return fitting[0]
        problem = "several data sets fit" if fitting else "no such data set"
        there = ", ".join(fitting or found) or "none"
        raise DatasetError(f"{dataset}: {problem} in {self.raw}; there: {there}")

    def _roots(self) -> tuple[Path, Path, Path]:
        return (self.raw, self.preprocessed, self.results)


def find_workspace(workspace: str | None = None) -> Workspace:
    """Returns the workspace: the argument, else KC_WORKSPACE, else ./kc_workspace.

    KC_RAW, KC_PREPROCESSED and KC_RESULTS move its parts unless `workspace` is given. This is
    the one module that touches the environment.
    """
    environment = {} if workspace else os.environ
    root = Path(workspace or environment.get("KC_WORKSPACE") or "kc_workspace")
    return Workspace(
        raw=Path(environment.get("KC_RAW") or root / "raw"),
        preprocessed=Path(environment.get("KC_PREPROCESSED") or root / "preprocessed"),
        results=Path(environment.get("KC_RESULTS") or root / "results"),
    )


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Lets processes started inside run single-threaded numpy, SimpleITK and blosc2.

    Four workers with as many threads as processors each would only get in each other's way.
    The libraries read these variables once, when they are loaded, so the parent must set them.
    """
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns this process' environment with some variables changed, for a program to be started."""
    return {**os.environ, **variables}


def _number(name: str) -> int:
    digits = name.removeprefix("Dataset").split("_")[0]
    return int(digits) if digits.isdigit() else -1
