"""stub"""

from __future__ import annotations
from pathlib import Path


def report(output: Path, page: Path | None) -> None:
    """stub"""
