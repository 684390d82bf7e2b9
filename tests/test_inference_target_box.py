"""Tests of inference.target_box: specks of the fine stage do not widen what it decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from plans import tiny_geometry, tiny_plan

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Box
from kneecascade.core.trace import Trace
from kneecascade.inference.target_box import believable_box, target_box
from kneecascade.preprocessing.transform import prepare

SHAPE = (24, 28, 32)
PLAN = replace(tiny_plan(), region=replace(tiny_plan().region, min_component_mm3=(20.0,)))
"""Pieces of cartilage under 20 mm3 are not believed; a voxel has 1 mm3."""


def drawn(*boxes: Box) -> tuple[LabelVolume, Trace]:
    """Returns cartilage in these boxes of canonical voxels, and the trace of its image."""
    geometry = tiny_geometry(SHAPE)
    trace = prepare(Volume(np.zeros((1, *SHAPE), np.float32), geometry), PLAN, "a").trace
    canonical = np.zeros(SHAPE, dtype=np.int16)
    for box in boxes:
        canonical[box.slices] = PLAN.labels.values[PLAN.labels.index("cartilage")]
    flipped = tuple(k for k, flip in enumerate(trace.flips_zyx) if flip)
    assert trace.axes_zyx == (0, 1, 2)
    return LabelVolume(np.flip(canonical, flipped).copy(), geometry), trace


MAIN, SPECK = Box((8, 8, 8), (14, 14, 14)), Box((20, 25, 29), (22, 27, 31))


def test_a_speck_widens_the_box_of_all_targets_but_not_the_believable_one() -> None:
    labels, trace = drawn(MAIN, SPECK)
    assert target_box(labels, trace, PLAN) == Box((8, 8, 8), (22, 27, 31))
    assert believable_box(labels, trace, PLAN) == MAIN


def test_pieces_that_are_large_enough_count() -> None:
    labels, trace = drawn(MAIN, Box((18, 20, 20), (21, 23, 23)))
    assert believable_box(labels, trace, PLAN) == Box((8, 8, 8), (21, 23, 23))


def test_specks_alone_still_have_a_box() -> None:
    labels, trace = drawn(SPECK)
    assert believable_box(labels, trace, PLAN) == SPECK


def test_without_targets_there_is_no_box() -> None:
    labels, trace = drawn()
    assert target_box(labels, trace, PLAN) is None
    assert believable_box(labels, trace, PLAN) is None
