"""What the cascade answers for one image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.trace import Region, Trace
from kneecascade.inference.plausibility import Doubt
from kneecascade.inference.sureness import Sureness


@dataclass(frozen=True, eq=False)
class CascadeResult:
    """One image, segmented.

    Attributes:
        labels: file values on the grid of the file.
        coarse_labels: the coarse stage alone on the same grid; None unless asked for.
        fine_probabilities: float32 (K, z, y, x) on the region's box of the fine grid; None unless asked for.
        region: where the fine stage looked.
        trace: how the grids belong together.
        flags: reasons for doubt, the region's included; empty where everything is as in training.
        volumes_ml: volume of every foreground label.
        seconds: wall-clock seconds by step: prepare, coarse, region, fine, restore.
        in_tiles: whether the fine stage worked in tiles, since one forward would have taken too much memory.
        certainty: how sure both stages are of the targets; None where the plan knows no sides.
        sureness: of each label, inside the region: entropy, agreement of the folds.
        dropped_mm3: what each label lost to the model's rules on small pieces; without those that lost none.
    """

    labels: LabelVolume
    coarse_labels: LabelVolume | None
    fine_probabilities: np.ndarray | None
    region: Region
    trace: Trace
    flags: tuple[str, ...]
    volumes_ml: dict[str, float]
    seconds: dict[str, float]
    in_tiles: bool = False
    certainty: float | None = None
    sureness: Sureness = field(default_factory=Sureness)
    dropped_mm3: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Look:
    """What the fine stage made of one region."""

    region: Region
    probabilities: np.ndarray
    labels: LabelVolume
    volumes_ml: dict[str, float]
    doubt: Doubt
    sureness: Sureness
