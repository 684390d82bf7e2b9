import numpy as np
import pytest

from kneecascade.evaluation.coarse_share import (
    FINE_ALONE,
    Mix,
    MixScores,
    choose_mix,
    possible_mixes,
    score_mixes,
)

TARGETS = (1, 3)
UNIFORM = [Mix(0.1 * k, 0.1 * k) for k in range(5)]


def probabilities(seed, shape=(6, 7, 8), classes=4):
    powers = np.exp(2 * np.random.default_rng(seed).standard_normal((classes, *shape))).astype(np.float32)
    return powers / powers.sum(axis=0)


def scores(*rows, subject="anna"):
    return MixScores(subject, np.array(rows, dtype=float))


def of_targets(*rows, subject="anna"):
    """Rows of the Dice of both targets; label 2 is no target and lacks a reference."""
    return scores(*([a, np.nan, b] for a, b in rows), subject=subject)


def test_dice_under_each_mix_is_that_of_the_mixture():
    fine, coarse = probabilities(0), probabilities(1)
    reference = probabilities(2).argmax(axis=0).astype(np.uint8)
    shares = [(0.0,) * 4, (0.2,) * 4, (0.1, 0.1, 0.6, 0.1)]
    table = score_mixes(fine, coarse, reference, shares)
    assert table.shape == (3, 3)
    apart = fine.argmax(axis=0) != coarse.argmax(axis=0)
    for each, row in zip(shares, table, strict=True):
        share = np.asarray(each).reshape(4, 1, 1, 1)
        found = np.where(apart, ((1 - share) * fine + share * coarse).argmax(axis=0), fine.argmax(axis=0))
        for label, dice in enumerate(row, start=1):
            both = ((found == label) & (reference == label)).sum()
            assert dice == pytest.approx(2 * both / ((found == label).sum() + (reference == label).sum()))


def test_a_target_that_the_reference_lacks_tells_nothing():
    reference = np.ones((6, 7, 8), dtype=np.uint8)
    shares = [(0.0,) * 4, (0.2,) * 4]
    table = score_mixes(probabilities(0), probabilities(1), reference, shares)
    assert np.isfinite(table[:, 0]).all()
    assert np.isnan(table[:, 1:]).all()
    nothing = score_mixes(probabilities(0), probabilities(1), 0 * reference, shares)
    assert choose_mix([MixScores("anna", nothing)], UNIFORM[:2], TARGETS).cases == 0


def test_stages_that_agree_leave_nothing_to_choose():
    fine = probabilities(0)
    reference = fine.argmax(axis=0).astype(np.uint8)
    table = score_mixes(fine, fine, reference, [(0.0,) * 4, (0.3,) * 4])
    assert (table == 1).all()
    assert choose_mix([MixScores("anna", table)], [FINE_ALONE, Mix(0.3, 0.3)], TARGETS).share == 0


def test_the_best_share_is_chosen_by_all_cases_together():
    anna = of_targets(*((d, d) for d in (0.80, 0.82, 0.85, 0.84, 0.80)))
    carl = of_targets(*((d, np.nan) for d in (0.70, 0.71, 0.70, 0.75, 0.60)), subject="carl")
    chosen = choose_mix([anna, carl], UNIFORM, TARGETS)
    assert (chosen.share, chosen.thick) == pytest.approx((0.3, 0.3))
    assert chosen.cases == 2
    assert chosen.dice_before == pytest.approx(0.75)
    # each under the other's choice: Anna's by Carl at 0.3, Carl's by Anna at 0.2
    assert chosen.dice_after == pytest.approx((0.84 + 0.70) / 2)


def test_thick_labels_choose_after_the_targets_and_by_all_labels():
    mixes = [FINE_ALONE, Mix(0.0, 0.6), Mix(0.2, 0.2), Mix(0.2, 0.6)]
    # the share .2 is best for the targets; of its two mixes the one that serves the thick label 2
    rows = [[0.70, 0.6, 0.70], [0.70, 0.99, 0.70], [0.75, 0.7, 0.75], [0.74, 0.9, 0.74]]
    chosen = choose_mix([scores(*rows)], mixes, TARGETS)
    assert (chosen.share, chosen.thick) == (0.2, 0.6)
    assert chosen.dice_after == pytest.approx((0.74 + 0.9 + 0.74) / 3, abs=1e-4)
    rows[3] = [0.74, 0.72, 0.74]  # what the targets lose weighs as much
    chosen = choose_mix([scores(*rows)], mixes, TARGETS)
    assert (chosen.share, chosen.thick) == (0.2, 0.2)


def test_thick_labels_alone_may_be_shared():
    mixes = [FINE_ALONE, Mix(0.0, 0.6), Mix(0.2, 0.2)]
    chosen = choose_mix([scores([0.8, 0.6, 0.8], [0.8, 0.7, 0.8], [0.7, 0.9, 0.7])], mixes, TARGETS)
    assert (chosen.share, chosen.thick) == (0.0, 0.6)
    assert chosen.dice_before == pytest.approx(2.2 / 3, abs=1e-4)
    assert chosen.dice_after == pytest.approx(2.3 / 3, abs=1e-4)


def test_a_gain_too_small_is_none():
    table = of_targets(*((d, d) for d in (0.800, 0.801, 0.8015, 0.801, 0.79)))
    chosen = choose_mix([table], UNIFORM, TARGETS)
    assert chosen.share == chosen.thick == 0
    assert chosen.dice_before == chosen.dice_after == pytest.approx(0.8)


def test_one_subject_chooses_for_itself():
    both = [
        of_targets(*((d, d) for d in (0.8, 0.9, 0.8, 0.7, 0.6))),
        of_targets(*((d, d) for d in (0.6, 0.7, 0.6, 0.5, 0.4))),
    ]
    chosen = choose_mix(both, UNIFORM, TARGETS)
    assert chosen.share == pytest.approx(0.1)
    assert chosen.dice_after == pytest.approx(0.8)


def test_no_cases_choose_the_fine_stage():
    chosen = choose_mix([], UNIFORM, TARGETS)
    assert (chosen.share, chosen.thick, chosen.cases) == (0.0, 0.0, 0)


def test_limits_of_a_plan_bound_what_can_be_chosen():
    assert possible_mixes(0.0, 0.7) == [FINE_ALONE]
    everything = possible_mixes(0.4, 0.7)
    assert everything[0] == FINE_ALONE
    assert len(everything) == len(set(everything))
    assert {mix.share for mix in everything} == {0.0, 0.1, 0.2, 0.3, 0.4}
    assert max(mix.thick for mix in everything) == 0.7
    assert all(Mix(s, s) in everything for s in (0.1, 0.2, 0.3, 0.4))
    few = possible_mixes(0.2, 0.1)
    assert all(mix.share <= 0.2 and mix.thick <= 0.1 for mix in few)
    assert Mix(0.2, 0.0) in few
