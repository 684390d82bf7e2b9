"""What of a fold was chosen by the cases it is scored on, in words for every place that prints scores."""

from __future__ import annotations

from pathlib import Path

from kneecascade.pipeline.coarse_errors import read_coarse_errors

NOTHING = "selected nothing on these cases"
MARGIN = "margin selected on these cases; recall leaves the scored subject out"


def selection(fold_folder: Path) -> str:
    """Returns what was selected on the held-out cases of a fold.

    Args:
        fold_folder: results/Dataset001_Name/fold_0.

    Raises:
        InputError: errors.json is broken.
    """
    chosen = [MARGIN] if read_coarse_errors(fold_folder) else []
    return "; ".join(chosen) or NOTHING
