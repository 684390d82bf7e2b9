"""Reads quality.json, which lies with a trained model."""

from __future__ import annotations

from pathlib import Path

from kneecascade.core.record import from_plain
from kneecascade.errors import InputError
from kneecascade.evaluation.quality_limits import RULES_VERSION, QualityReference
from kneecascade.files import read_json

FILE = "quality.json"


def read_reference(model_folder: Path) -> QualityReference | None:
    """Reads quality.json of a model; None where there is none, or one of another version."""
    try:
        found = from_plain(QualityReference, read_json(model_folder / FILE))
    except (InputError, ValueError):
        return None
    return found if found.rules == RULES_VERSION else None
