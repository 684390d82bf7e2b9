"""A cascade trained on knees that never lay in a scanner: anatomies painted anew at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kneecascade.console import say
from kneecascade.core.geometry import Float3
from kneecascade.core.settings import TrainSettings
from kneecascade.errors import DatasetError, SettingsError
from kneecascade.pipeline.legs import make_legs
from kneecascade.pipeline.phantom import make_phantoms
from kneecascade.pipeline.phantom_recipe import Recipe
from kneecascade.pipeline.plan_and_preprocess import PlanSettings, plan_and_preprocess
from kneecascade.pipeline.train import train_folds
from kneecascade.workspace import Workspace

NAME = "Synthetic"
LEG_MM = (0.75, 0.75, 0.75)
"""Spacing of procedural legs, where none is given: that of the fine stage."""


@dataclass(frozen=True)
class Anatomies:
    """Whose bones and cartilages are painted.

    Attributes:
        folder: of label maps; None for procedural knees.
        count: procedural legs to train on.
        tests: knees set aside, rendered with one fixed contrast.
        spacing_mm: (z, y, x) of procedural legs, None for 0.75; of label maps, None for their own.
        mirror: whether to add mirrored copies of label maps.
        seed: of everything random.
    """

    folder: Path | None = None
    count: int = 40
    tests: int = 0
    spacing_mm: Float3 | None = None
    mirror: bool = True
    seed: int = 0


def train_synthetic(
    workspace: Workspace,
    number: int,
    folds: Sequence[int] | None,
    anatomies: Anatomies,
    planning: PlanSettings,
    settings: TrainSettings,
) -> None:
    """Makes the anatomies, plans, and trains on painted images; what is done already is kept.

    The data set it makes is an ordinary one: its images have one fixed contrast, from which the plan
    comes, and on which the held-out knees are scored. Training never sees them.

    Args:
        workspace: where things lie.
        number: of the data set to make, 1 to 999.
        folds: to train; None for all.
        anatomies: whose.
        planning: of the plan.
        settings: of the training, with `synthetic` set.

    Raises:
        SettingsError: a number that cannot be used.
        DatasetError: another data set has this number.
        KneecascadeError: whatever planning and training raise.
    """
    name = _name(workspace, number)
    _make(workspace.raw / name, anatomies, planning.workers)
    plan_and_preprocess(workspace, str(number), planning)
    say("training sees no image of the data set: every patch is painted with another contrast")
    train_folds(workspace, str(number), folds, settings)


def _name(workspace: Workspace, number: int) -> str:
    """Returns the data set's name; no other may have its number."""
    if not 1 <= number <= 999:
        raise SettingsError(f"-d {number}: a data set has a number from 1 to 999")
    name = f"Dataset{number:03d}_{NAME}"
    others = [p.name for p in workspace.raw.glob(f"Dataset{number:03d}_*") if p.name != name]
    if others:
        raise DatasetError(f"{others[0]} has this number already; choose another with -d")
    return name


def _make(folder: Path, anatomies: Anatomies, workers: int | None) -> None:
    if anatomies.folder is None:
        spacing = anatomies.spacing_mm or LEG_MM
        make_legs(folder, anatomies.count, anatomies.tests, anatomies.seed, spacing, workers)
        return
    recipe = Recipe(
        seed=anatomies.seed,
        tests=anatomies.tests,
        anatomy=anatomies.folder,
        mirror=anatomies.mirror,
        spacing_mm=anatomies.spacing_mm,
    )
    make_phantoms(folder, anatomies.count, recipe, workers)
