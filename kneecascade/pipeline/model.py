"""Which trained model a command uses."""

from __future__ import annotations

from pathlib import Path

from kneecascade.console import say
from kneecascade.errors import CheckpointError, SettingsError
from kneecascade.inference.folds import fold_folders, is_trained
from kneecascade.pipeline.shipped import DEFAULT, named, shipped_models
from kneecascade.workspace import Workspace


def choose_model(workspace: Workspace, dataset: str | None = None, model: Path | None = None) -> Path:
    """Returns the folder of a model: the one given, the data set's, else the only trained one.

    Where nothing is trained it is the model that comes with kneecascade, and that is said.

    Args:
        workspace: where trained models lie.
        dataset: "1", "001" or "Dataset001_Name".
        model: a folder, or the name of a model that comes with kneecascade.

    Raises:
        SettingsError: both or neither were given and the choice is not clear; the message lists it.
        DatasetError: there is no such data set.
        CheckpointError: no such model, or nothing is trained yet and none came along.
    """
    if dataset and model:
        raise SettingsError("give either -d or -m, not both")
    if model:
        folder = named(model)
        if not folder.is_dir():
            shipped = ", ".join(shipped_models()) or "none"
            raise CheckpointError(f"{model}: no such model folder; models that came along: {shipped}")
        return folder
    if dataset:
        return workspace.results / workspace.dataset_name(dataset)
    trained = sorted(folder for folder in workspace.results.glob("*") if _has_trained_fold(folder))
    if not trained and DEFAULT in shipped_models():
        say(
            f"no trained model in {workspace.results}: using '{DEFAULT}', trained on made-up knees alone; "
            "a start for research and teaching, check every result"
        )
        return shipped_models()[DEFAULT]
    if not trained:
        raise CheckpointError(f"{workspace.results}: no trained model; run kc_train, or give -m FOLDER")
    if len(trained) > 1:
        names = ", ".join(folder.name for folder in trained)
        raise SettingsError(f"several trained models; choose one with -d: {names}")
    return trained[0]


def _has_trained_fold(folder: Path) -> bool:
    return any(is_trained(fold) for fold in fold_folders(folder).values())
