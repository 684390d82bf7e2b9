from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import save_grey_model

from kneecascade.errors import CheckpointError, SettingsError
from kneecascade.pipeline import shipped
from kneecascade.pipeline.model import choose_model
from kneecascade.workspace import Workspace


def test_the_only_trained_model_is_taken(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "none")
    with pytest.raises(CheckpointError, match="no trained model"):
        choose_model(workspace)
    only = save_grey_model(workspace.results / "Dataset001_Tiny")
    (workspace.results / "Dataset002_Half" / "fold_0").mkdir(parents=True)
    assert choose_model(workspace) == only
    save_grey_model(workspace.results / "Dataset003_More")
    with pytest.raises(SettingsError, match="Dataset001_Tiny, Dataset003_More"):
        choose_model(workspace)
    assert choose_model(workspace, dataset="1") == only


def test_a_folder_may_be_given(workspace: Workspace) -> None:
    folder = save_grey_model(workspace.results / "Dataset001_Tiny")
    assert choose_model(workspace, model=folder) == folder
    with pytest.raises(CheckpointError, match="no such model folder"):
        choose_model(workspace, model=folder / "none")
    with pytest.raises(SettingsError, match="not both"):
        choose_model(workspace, "1", folder)
