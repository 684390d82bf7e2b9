"""What every test shares: few threads, no inherited workspace, a place to write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["MPLBACKEND"] = "Agg"

from kneecascade.workspace import Workspace, find_workspace  # noqa: E402


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of whoever runs the tests must not leak into them."""
    for name in ("KC_WORKSPACE", "KC_RAW", "KC_PREPROCESSED", "KC_RESULTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return find_workspace(str(tmp_path / "workspace"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def trained_balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of networks trained for seconds; see `trained_models`."""
    from trained_models import save_trained_model

    return save_trained_model(tmp_path_factory.mktemp("trained_balls"))
