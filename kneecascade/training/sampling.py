"""Where patches are drawn, and regions that err as the coarse stage does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Box, Float3
from kneecascade.training.cases import StageCase


@dataclass(frozen=True)
class Sampling:
    """How the centres of patches are drawn.

    Attributes:
        on_target: share of patches around a voxel of a target class, each class alike often.
        in_region: share inside a region made from the reference, in error as coarse regions err.
        jitter: shift of a centre, as a share of the patch.
        margin_mm: how far a region reaches beyond its targets.
        margin_jitter_mm: by how much each side of a region may be off.
        lost_chance: of a piece of the targets being missing when the region is made.
        spurious_chance: of a piece being there that is none.
        spurious_mm3: volume of the cube around such a piece.
        spurious_reach_mm: how far beyond the targets its centre may lie.

    The rest of the patches come from anywhere in the volume. The numbers are guesses until a coarse
    stage was measured, see `error_model`.
    """

    on_target: float = 0.6
    in_region: float = 0.25
    jitter: float = 0.25
    margin_mm: float = 6.0
    margin_jitter_mm: float = 6.0
    lost_chance: float = 0.05
    spurious_chance: float = 0.05
    spurious_mm3: float = 300.0
    spurious_reach_mm: float = 10.0


GUESSED = Sampling()


def draw_region(
    case: StageCase, box: Box, sampling: Sampling, spacing_mm: Float3, draw: np.random.Generator
) -> Box:
    """Draws a region around the targets' box, with errors.

    Args:
        case: its pieces may get lost.
        box: of its targets.
        sampling: how often what goes wrong.
        spacing_mm: of the stage's grid.
        draw: the step's own.
    """
    step = np.asarray(spacing_mm)
    start, stop = np.asarray(box.start_zyx), np.asarray(box.stop_zyx)
    if draw.random() < sampling.lost_chance and len(case.pieces) > 1:
        start, stop = _without(case.pieces, int(draw.integers(len(case.pieces))))
    if draw.random() < sampling.spurious_chance:
        reach, edge = sampling.spurious_reach_mm / step, np.cbrt(sampling.spurious_mm3) / step
        centre = draw.uniform(start - reach, stop + reach)
        start = np.minimum(start, np.rint(centre - edge / 2).astype(int))
        stop = np.maximum(stop, np.rint(centre + edge / 2).astype(int))
    off = draw.uniform(-sampling.margin_jitter_mm, sampling.margin_jitter_mm, (2, 3))
    margin = np.rint((sampling.margin_mm + off) / step).astype(int)
    start = np.clip(start - margin[0], 0, np.asarray(case.shape_zyx) - 1)
    stop = np.clip(stop + margin[1], start + 1, case.shape_zyx)
    (a, b, c), (d, e, f) = start.tolist(), stop.tolist()
    return Box((a, b, c), (d, e, f))


def _without(pieces: Sequence[Box], lost: int) -> tuple[np.ndarray, np.ndarray]:
    kept = [piece for k, piece in enumerate(pieces) if k != lost]
    start = np.min([piece.start_zyx for piece in kept], axis=0)
    return start, np.max([piece.stop_zyx for piece in kept], axis=0)
