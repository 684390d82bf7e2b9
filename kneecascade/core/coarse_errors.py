"""What the coarse stage of a fold did to cases it never saw."""

from __future__ import annotations

from dataclasses import dataclass

from kneecascade.core.geometry import Box, Float3


@dataclass(frozen=True)
class Piece:
    """A connected piece of one target.

    Attributes:
        target: name of the label.
        volume_mm3: of the piece.
    """

    target: str
    volume_mm3: float


@dataclass(frozen=True)
class CaseErrors:
    """One held-out case after the coarse stage.

    Attributes:
        name: case identifier.
        subject: whose case it is; the case's own name where no subjects are known.
        kept: box around the kept components on the fine grid, without margin; None where there is none.
        widened: factor on the margin, above 1 where the cascade noticed that something seemed lost.
        whole: whether no region could be trusted, so that the fine stage sees the whole image.
        beyond_mm: how far the reference's targets reach beyond the kept box on the lower sides (z, y, x)
            and on the upper ones; negative where the box reaches farther. None without targets or box.
        lost: pieces of the reference of which nothing was kept.
        spurious: kept pieces that touch no target of the reference.
    """

    name: str
    subject: str
    kept: Box | None
    widened: float
    whole: bool
    beyond_mm: tuple[Float3, Float3] | None
    lost: tuple[Piece, ...]
    spurious: tuple[Piece, ...]

    @property
    def needed_mm(self) -> float | None:
        """The smallest margin in the plan with which nothing is missed; None where none is needed."""
        if self.whole or self.beyond_mm is None:
            return None
        return max(0.0, *self.beyond_mm[0], *self.beyond_mm[1]) / self.widened


@dataclass(frozen=True)
class CoarseErrors:
    """The held-out cases of a fold, and the margin chosen by them; kept as errors.json.

    Attributes:
        planned_margin_mm: what the plan said.
        margin_mm: what was chosen.
        seconds: that measuring took.
        cases: one entry a held-out case.
    """

    planned_margin_mm: float
    margin_mm: float
    seconds: float
    cases: tuple[CaseErrors, ...]
