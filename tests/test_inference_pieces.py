"""Tests of inference.pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_geometry, tiny_plan

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Box
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.inference.pieces import drop_far_pieces, pieces_together
from kneecascade.inference.plausibility import TOO_FAR, Doubt
from kneecascade.preprocessing.transform import prepare

GEOMETRY = tiny_geometry((40, 24, 24), (1.0, 1.0, 1.0), (0.0, 0.0, 90.0))
WHOLE = Box.whole((40, 24, 24))


def _plan(together_mm: float = 100.0):
    plan = tiny_plan(labels=("background", "bone", "a", "b"), values=(0, 10, 20, 30), targets=("a", "b"))
    region = replace(
        plan.region,
        max_label_extent_mm=((12.0, 24.0, 24.0), (24.0, 24.0, 24.0)),
        min_component_mm3=(50.0, 50.0),
        max_extent_mm=(together_mm, 100.0, 100.0),
    )
    return replace(plan, region=region)


def _drop(array: np.ndarray, plan, coarse: np.ndarray | None = None) -> Doubt:
    if coarse is None:
        coarse = np.zeros((4, 20, 12, 12), dtype=np.float32)
    trace = prepare(Volume(np.ones((1, *array.shape), np.float32), GEOMETRY), plan, "x").trace
    return drop_far_pieces(LabelVolume(array, GEOMETRY), coarse, WHOLE, trace, plan)


def _labels() -> np.ndarray:
    array = np.zeros((40, 24, 24), dtype=np.int16)
    array[4:14, 4:8, 4:8] = 20
    array[14:20, 4:8, 4:8] = 30
    array[30:40] = 10
    return array


def test_labels_that_lie_together_stay() -> None:
    array = _labels()
    assert _drop(array, _plan()) == Doubt()
    assert np.array_equal(array, _labels())


@pytest.mark.parametrize(("edge", "flagged"), [(4, True), (2, False)])
def test_far_pieces_become_background_and_only_more_than_specks_are_flagged(edge: int, flagged: bool) -> None:
    array = _labels()
    array[24 : 24 + edge, 4 : 4 + edge, 4 : 4 + edge] = 20
    doubt = _drop(array, _plan())
    assert np.array_equal(array, _labels())
    flag = "a: 0.064 ml far from the main piece dropped after the fine stage"
    assert doubt == (Doubt((flag,), False, TOO_FAR) if flagged else Doubt())


def test_what_the_coarse_stage_supports_is_kept_though_it_is_smaller() -> None:
    array = _labels()
    array[24:36, 4:20, 4:20] = 20
    coarse = np.zeros((4, 20, 12, 12), dtype=np.float32)
    turned = to_canonical(np.broadcast_to(array == 20, (1, *array.shape)), *canonical_axes(GEOMETRY))
    coarse[2] = 0.3 * turned[0, ::2, ::2, ::2]  # the coarse stage half believes in both ...
    coarse[2, 12:] = 0.01  # ... but hardly in the far one
    doubt = _drop(array, _plan(), coarse)
    assert (array[:14] == 20).sum() == 160
    assert not (array[20:] == 20).any()
    assert len(doubt.flags) == 1


def test_pieces_of_one_label_at_another_ones_distance_stay() -> None:
    array = _labels()
    array[26:28, 4:8, 4:8] = 30
    assert _drop(array, _plan()) == Doubt()
    assert (array == 30).sum() == 6 * 16 + 32


def test_targets_too_far_apart_are_flagged_and_kept() -> None:
    array = _labels()
    array[26:28, 4:8, 4:8] = 30
    doubt = _drop(array, _plan(together_mm=20.0))
    assert doubt.flags == ("targets too far apart by the fine stage: 24 mm along z, expected at most 21 mm",)
    assert (array == 30).sum() == 6 * 16 + 32


def test_nothing_there() -> None:
    assert _drop(np.zeros((40, 24, 24), dtype=np.int16), _plan()) == Doubt()
    empty = np.zeros((5, 5, 5), dtype=bool)
    assert pieces_together(empty, (1.0, 1.0, 1.0), (2.0, 2.0, 2.0)) is empty
