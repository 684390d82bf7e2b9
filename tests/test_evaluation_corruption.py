from __future__ import annotations

import numpy as np
import pytest
from knees import LABELS, block_knee
from plans import oblique_direction

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Geometry
from kneecascade.evaluation.corruption import OF_BOTH, OF_IMAGES, OF_LABELS, Spoiled, on_canonical_grid

EVERY = {**OF_LABELS, **OF_BOTH, **OF_IMAGES}


def _spoil(way: str, seed: int = 0) -> tuple[Spoiled, Spoiled]:
    sound = on_canonical_grid(*block_knee(20))
    return sound, EVERY[way](sound, LABELS, np.random.default_rng(seed))


@pytest.mark.parametrize("way", EVERY)
def test_every_way_changes_what_it_says_and_is_seeded(way: str) -> None:
    sound, spoiled = _spoil(way)
    _, again = _spoil(way)
    assert np.array_equal(spoiled.labels, again.labels)
    assert np.array_equal(spoiled.grey, again.grey)
    assert spoiled.grey.shape[1:] == spoiled.labels.shape == spoiled.geometry.shape_zyx
    labels = spoiled.labels.shape != sound.labels.shape or not np.array_equal(spoiled.labels, sound.labels)
    grey = spoiled.grey.shape != sound.grey.shape or not np.array_equal(spoiled.grey, sound.grey)
    if way in OF_LABELS:
        assert labels
        assert not grey
    elif way in OF_IMAGES:
        assert grey
        assert not labels
    else:
        assert (labels and grey) or spoiled.geometry != sound.geometry
    assert set(np.unique(spoiled.labels)) <= set(LABELS.values)


def test_the_sound_case_is_left_alone() -> None:
    sound = on_canonical_grid(*block_knee(20))
    before = sound.labels.copy(), sound.grey.copy()
    for corrupt in EVERY.values():
        corrupt(sound, LABELS, np.random.default_rng(1))
    assert np.array_equal(before[0], sound.labels)
    assert np.array_equal(before[1], sound.grey)


def test_shifts_are_in_mm_and_lose_what_leaves() -> None:
    volume, labels = block_knee(20, (2.0, 2.0, 2.0))
    sound = on_canonical_grid(volume, labels)
    moved = OF_LABELS["shifted by 10 mm"](sound, LABELS, np.random.default_rng(0)).labels
    shifts = [np.roll(sound.labels, s, a) for a in range(3) for s in (5, -5)]
    inner = (slice(5, -5),) * 3
    assert any(np.array_equal(moved[inner], shift[inner]) for shift in shifts)
    assert (moved != 0).sum() <= (sound.labels != 0).sum()


def test_swaps_are_among_their_kind() -> None:
    sound, spoiled = _spoil("cartilages swapped")
    assert np.array_equal(spoiled.labels == 7, sound.labels == 2)
    assert np.array_equal(spoiled.labels == 1, sound.labels == 1)
    sound, spoiled = _spoil("bones swapped")
    assert np.array_equal(spoiled.labels == 5, sound.labels == 1)


def test_pieces_lie_on_the_canonical_grid() -> None:
    volume, labels = block_knee(20)
    geometry = Geometry(labels.geometry.shape_zyx, (1.0, 1.0, 1.0), (0, 0, 0), oblique_direction((0, 0, 180)))
    turned = on_canonical_grid(Volume(volume.array, geometry), LabelVolume(labels.array, geometry))
    assert np.array_equal(turned.labels, labels.array[:, ::-1, ::-1])
    assert np.array_equal(turned.grey[0], volume.array[0, :, ::-1, ::-1])
    assert turned.geometry.direction_xyz == pytest.approx(oblique_direction((0, 0, 0)), abs=1e-9)


def test_noise_is_of_the_size_asked_for() -> None:
    sound, spoiled = _spoil("noise of 10 %")
    low, high = np.percentile(sound.grey[:, ::2, ::2, ::2], [0.5, 99.5])
    assert np.std(spoiled.grey - sound.grey) == pytest.approx(0.1 * (high - low), rel=0.02)
