"""The list of models a command can use: those that come with kneecascade, those trained here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kneecascade.console import say, show_table
from kneecascade.errors import KneecascadeError
from kneecascade.inference.folds import STAGES, fold_folders, is_trained, weights_file
from kneecascade.pipeline.prediction_record import data_licence
from kneecascade.pipeline.shipped import CARD, read_card, shipped_models
from kneecascade.planning.plan_file import read_plan
from kneecascade.workspace import PLAN, Workspace


@dataclass(frozen=True)
class Listed:
    """One model.

    Attributes:
        name: what -m or -d takes.
        folder: where it lies.
        folds: names of its trained folds.
        labels: its foreground labels.
        spacing: of the fine stage in mm, as text.
        megabytes: of all weights.
        licence: of the model or of its training data; "" where none is told.
        card: file with more about it, or "".
    """

    name: str
    folder: Path
    folds: tuple[str, ...]
    labels: tuple[str, ...]
    spacing: str
    megabytes: float
    licence: str
    card: str


def list_models(workspace: Workspace) -> list[Listed]:
    """Returns the shipped models, then the trained ones; a broken one has no folds."""
    trained = [p for p in sorted(workspace.results.glob("Dataset*")) if p.is_dir()]
    return [_listed(folder) for folder in (*shipped_models().values(), *trained)]


def show_models(workspace: Workspace) -> None:
    """Prints the list."""
    models = list_models(workspace)
    if not models:
        say(f"no model comes with this installation, and none is trained in {workspace.results}")
        return
    rows = [
        [
            m.name,
            " ".join(m.folds) or "none whole",
            ", ".join(m.labels),
            m.spacing,
            f"{m.megabytes:.1f}",
            m.licence or "not told",
            m.card,
        ]
        for m in models
    ]
    show_table("Models", ["name", "folds", "labels", "fine mm (z, y, x)", "MB", "licence", "card"], rows)


def _listed(folder: Path) -> Listed:
    folds = [fold for fold in fold_folders(folder).values() if is_trained(fold)]
    labels: tuple[str, ...] = ()
    spacing = ""
    try:
        if folds:
            plan = read_plan(folds[0] / PLAN)
            labels = plan.labels.foreground
            spacing = " ".join(f"{mm:.3g}" for mm in plan.fine.spacing_mm)
    except KneecascadeError as error:
        folds, spacing = [], str(error)
    size = sum(weights_file(fold, stage).stat().st_size for fold in folds for stage in STAGES)
    card = read_card(folder)
    return Listed(
        name=folder.name,
        folder=folder,
        folds=tuple(fold.name for fold in folds),
        labels=labels,
        spacing=spacing,
        megabytes=size / 1e6,
        licence=str(card.get("licence") or data_licence(folds)),
        card=str(folder / CARD) if card else "",
    )
