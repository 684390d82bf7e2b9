"""Which connected pieces of a label are kept after prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Keep = Literal["largest", "above"]


@dataclass(frozen=True)
class PieceRule:
    """What is kept of one label.

    Attributes:
        label: its name.
        keep: "largest", the largest 26-connected piece alone; or "above", every piece of at least a volume.
        least_mm3: that volume; 0 for "largest".
    """

    label: str
    keep: Keep
    least_mm3: float = 0.0


@dataclass(frozen=True)
class PieceRules:
    """The rules of a model, as in its postprocessing.json.

    Attributes:
        weights: hash of the weights of each fold that the rules were chosen with, by the fold's name.
        rules: at most one a label; none where no rule helped.
    """

    weights: dict[str, str]
    rules: tuple[PieceRule, ...]
