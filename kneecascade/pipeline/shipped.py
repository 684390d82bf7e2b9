"""Models that come with kneecascade, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kneecascade
from kneecascade.errors import InputError
from kneecascade.files import read_json

FOLDER = Path(kneecascade.__file__).parent / "models"
DEFAULT = "synthetic"
"""What kc_predict uses where nothing is trained."""
CARD = "card.json"


def shipped_models() -> dict[str, Path]:
    """Returns the folders of the models in this installation, by name."""
    found = sorted(FOLDER.glob(f"*/{CARD}")) if FOLDER.is_dir() else []
    return {card.parent.name: card.parent for card in found}


def shipped_name(model_folder: Path) -> str | None:
    """Returns the name of a shipped model; None for any other folder."""
    return model_folder.name if model_folder.resolve().parent == FOLDER.resolve() else None


def named(model: Path | str) -> Path:
    """Returns the folder that a word on the command line stands for: itself, or a shipped model's name."""
    return Path(model) if Path(model).exists() else shipped_models().get(str(model), Path(model))


def read_card(model_folder: Path) -> dict[str, Any]:
    """Returns what a model says of itself; {} where it has no card."""
    try:
        card = read_json(model_folder / CARD)
    except InputError:
        return {}
    return card if isinstance(card, dict) else {}


def folder_bytes(folder: Path) -> int:
    """Returns the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
