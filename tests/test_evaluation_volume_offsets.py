import numpy as np
import pytest

from kneecascade.evaluation.volume_offsets import OFFSETS, choose_offset, tally

Z, Y, X = np.indices((24, 20, 20), dtype=np.float32)


def layer(thickness, lean=0.0, top=10.0):
    """Probabilities (2, ...) of a layer whose logit falls by 1 a voxel beyond its face, moved by `lean`."""
    logit = thickness / 2 - np.abs(Z - top) + lean
    mine = 1 / (1 + np.exp(-logit))
    return np.stack([1 - mine, mine]), (np.abs(Z - top) < thickness / 2).astype(np.uint8)


def tallies(lean, subjects=6, top=10.0):
    found = []
    for k in range(subjects):
        probabilities, truth = layer(5.0 + 0.8 * k, lean, top + 0.13 * k)
        found.append(tally(probabilities, truth, 1, f"s{k}"))
    return found


def test_a_layer_drawn_too_thick_is_moved_back():
    chosen = choose_offset("cartilage", tallies(lean=0.9))
    assert chosen.ratio_before > 1.2
    assert chosen.offset < -0.5
    assert chosen.ratio_after == pytest.approx(1, abs=0.1)
    assert chosen.cases == 6


def test_one_drawn_too_thin_is_moved_out():
    chosen = choose_offset("cartilage", tallies(lean=-0.9))
    assert chosen.ratio_before < 0.85
    assert chosen.offset > 0.5
    assert chosen.ratio_after == pytest.approx(1, abs=0.1)


def test_counts_are_those_of_moved_probabilities():
    probabilities, truth = layer(6.0, lean=0.4)
    counted = tally(probabilities, truth, 1, "anna")
    for k in (0, 20, 30, 45, 60):
        moved = probabilities[1] * np.exp(OFFSETS[k]) > probabilities[0]
        assert counted.voxels[k] == np.count_nonzero(moved)
        assert counted.right[k] == np.count_nonzero(moved & (truth == 1))
    assert counted.dice[30] == pytest.approx(
        2 * counted.right[30] / (counted.voxels[30] + np.count_nonzero(truth))
    )


def test_few_subjects_choose_nothing():
    few = tallies(lean=0.9, subjects=4)
    chosen = choose_offset("cartilage", few + few)  # eight scans of four people
    assert (chosen.offset, chosen.cases) == (0.0, 8)
    assert chosen.ratio_after == chosen.ratio_before


def test_a_mean_within_its_error_is_left_alone():
    thin = [tally(*layer(6.0 + k, lean=-0.9), 1, f"thin{k}") for k in range(3)]
    some = [*tallies(lean=0.9, subjects=3), *thin]
    assert choose_offset("cartilage", some).offset == 0.0


def test_a_missed_label_is_not_calibrated_away():
    found = tallies(lean=0.9)
    probabilities, truth = layer(5.0, lean=-9.0)
    chosen = choose_offset("cartilage", [*found, tally(probabilities, truth, 1, "missed")])
    assert chosen.offset == 0.0


def test_a_label_that_is_never_predicted_has_no_volume() -> None:
    chosen = choose_offset("cartilage", tallies(lean=-9.0))
    assert (chosen.offset, chosen.ratio_before, chosen.ratio_after) == (0.0, 0.0, 0.0)


def test_volume_is_not_bought_with_dice():
    """Too much of it in the wrong place: less of it would only lose what is right."""
    found = []
    for k in range(6):
        probabilities, truth = layer(6.0 + k)
        wrong = layer(6.0 + k, lean=2.0, top=19.0)[0]  # surer than what is right
        both = np.where(wrong[1:] > probabilities[1:], wrong, probabilities)
        found.append(tally(both, truth, 1, f"s{k}"))
    chosen = choose_offset("cartilage", found)
    zero = int(np.abs(OFFSETS).argmin())
    at = int(np.abs(OFFSETS - chosen.offset).argmin())
    mean = np.mean([t.dice for t in found], axis=0)
    assert chosen.ratio_before > 1.5
    assert mean[at] >= mean[zero] - 0.002


def test_a_case_without_the_label_tells_nothing():
    probabilities, truth = layer(5.0)
    assert tally(probabilities, np.zeros_like(truth), 1, "anna") is None
