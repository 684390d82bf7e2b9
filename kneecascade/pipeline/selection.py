"""What of a fold was chosen by the cases it is scored on, in words for every place that prints scores."""

from __future__ import annotations

from pathlib import Path

from kneecascade.inference.folds import STAGES, coarse_share, weights_file
from kneecascade.network.checkpoint import load_metadata
from kneecascade.pipeline.coarse_errors import read_coarse_errors
from kneecascade.pipeline.rounds import is_by_target
from kneecascade.pipeline.volume_calibration import calibrated

NOTHING = "selected nothing on these cases"
MARGIN = "margin selected on these cases; recall leaves the scored subject out"
EPOCH = "best epoch"


def selection(fold_folder: Path) -> str:
    """Returns what was selected on the held-out cases of a fold.

    Args:
        fold_folder: results/Dataset001_Name/fold_0.

    Raises:
        InputError: errors.json is broken.
        CheckpointError: weights are broken.
    """
    weights = [stage for stage in STAGES if _by_epoch(weights_file(fold_folder, stage))]
    chosen = [MARGIN] if read_coarse_errors(fold_folder) else []
    chosen += [f"epoch of the {' and the '.join(weights)} weights selected on these cases"] if weights else []
    chosen += ["rounds ended by a target on these cases"] if is_by_target(fold_folder) else []
    moved = calibrated(weights_file(fold_folder, "fine"))
    chosen += [f"volume of {', '.join(moved)} calibrated on these cases"] if moved else []
    fine = weights_file(fold_folder, "fine")
    share = coarse_share([fold_folder]) if fine.is_file() else 0.0
    chosen += [f"coarse stage's share of {share:g} selected on these cases"] if share else []
    return "; ".join(chosen) or NOTHING


def _by_epoch(path: Path) -> bool:
    return path.is_file() and load_metadata(path).get("weights", "").startswith(EPOCH)
