"""Which trained model a command uses."""

from __future__ import annotations

from pathlib import Path

from kneecascade.errors import CheckpointError, SettingsError
from kneecascade.inference.folds import fold_folders, is_trained
from kneecascade.workspace import Workspace


def choose_model(workspace: Workspace, dataset: str | None = None, model: Path | None = None) -> Path:
    """Returns the folder of a model: the one given, the data set's, else the only trained one.

    Raises:
        SettingsError: both or neither were given and the choice is not clear; the message lists it.
        DatasetError: there is no such data set.
        CheckpointError: nothing is trained yet.
    """
    if dataset and model:
        raise SettingsError("give either -d or -m, not both")
    if model:
        if not model.is_dir():
            raise CheckpointError(f"{model}: no such model folder")
        return model
    if dataset:
        return workspace.results / workspace.dataset_name(dataset)
    trained = sorted(folder for folder in workspace.results.glob("*") if _has_trained_fold(folder))
    if not trained:
        raise CheckpointError(f"{workspace.results}: no trained model; run kc_train, or give -m FOLDER")
    if len(trained) > 1:
        names = ", ".join(folder.name for folder in trained)
        raise SettingsError(f"several trained models; choose one with -d: {names}")
    return trained[0]


def _has_trained_fold(folder: Path) -> bool:
    return any(is_trained(fold) for fold in fold_folders(folder).values())
