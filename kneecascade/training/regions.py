"""Whole training regions, as inference will see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from kneecascade.core.geometry import Box, Float3
from kneecascade.core.settings import Stage
from kneecascade.imaging.components import dilate_box, margin_voxels
from kneecascade.training.cases import StageCase

REGIONS = 16


def region_box(case: StageCase, stage: Stage, margin_mm: float, spacing_mm: Float3) -> Box:
    """Returns the whole image for the coarse stage, the targets with their margin for the fine one."""
    if stage == "coarse" or case.target_box is None:
        return Box.whole(case.shape_zyx)
    return dilate_box(case.target_box, margin_voxels(margin_mm, spacing_mm), case.shape_zyx)


def limit_box(box: Box, voxels: int) -> Box:
    """Shrinks a box about its middle, all axes alike, until it holds at most `voxels` voxels."""
    if box.voxels <= voxels:
        return box
    share = (voxels / box.voxels) ** (1 / 3)
    size = np.maximum(1, (np.asarray(box.shape_zyx) * share).astype(int))
    start = np.asarray(box.start_zyx) + (np.asarray(box.shape_zyx) - size) // 2
    (a, b, c), (d, e, f) = start.tolist(), (start + size).tolist()
    return Box((a, b, c), (d, e, f))


def whole_regions(
    cases: Sequence[StageCase],
    stage: Stage,
    margin_mm: float,
    spacing_mm: Float3,
    max_voxels: int,
) -> Iterator[torch.Tensor]:
    """Yields up to 16 regions as float32 (1, C, z, y, x), spread evenly over the cases."""
    count = min(REGIONS, len(cases))
    for k in range(count):
        case = cases[k * len(cases) // count]
        box = limit_box(region_box(case, stage, margin_mm, spacing_mm), max_voxels)
        part = np.asarray(case.image[(slice(None), *box.slices)], dtype=np.float32)
        yield torch.from_numpy(part)[None]
