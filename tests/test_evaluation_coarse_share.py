import numpy as np
import pytest

from kneecascade.evaluation.coarse_share import SHARES, ShareScores, choose_share, score_shares

TARGETS = (1, 3)


def probabilities(seed, shape=(6, 7, 8), classes=4):
    powers = np.exp(2 * np.random.default_rng(seed).standard_normal((classes, *shape))).astype(np.float32)
    return powers / powers.sum(axis=0)


def scores(*rows, subject="anna"):
    return ShareScores(subject, np.array(rows, dtype=float))


def test_dice_under_each_share_is_that_of_the_mixture():
    fine, coarse = probabilities(0), probabilities(1)
    reference = probabilities(2).argmax(axis=0).astype(np.uint8)
    table = score_shares(fine, coarse, reference, TARGETS)
    assert table.shape == (len(SHARES), len(TARGETS))
    for share, row in zip(SHARES, table, strict=True):
        found = ((1 - share) * fine + share * coarse).argmax(axis=0)
        for label, dice in zip(TARGETS, row, strict=True):
            both = ((found == label) & (reference == label)).sum()
            assert dice == pytest.approx(2 * both / ((found == label).sum() + (reference == label).sum()))


def test_a_target_that_the_reference_lacks_tells_nothing():
    reference = np.ones((6, 7, 8), dtype=np.uint8)
    table = score_shares(probabilities(0), probabilities(1), reference, TARGETS)
    assert np.isfinite(table[:, 0]).all()
    assert np.isnan(table[:, 1]).all()
    nothing = score_shares(probabilities(0), probabilities(1), 0 * reference, TARGETS)
    assert choose_share([ShareScores("anna", nothing)]).cases == 0


def test_stages_that_agree_leave_nothing_to_choose():
    fine = probabilities(0)
    table = score_shares(fine, fine, fine.argmax(axis=0).astype(np.uint8), TARGETS)
    assert (table == 1).all()
    assert choose_share([ShareScores("anna", table)]).share == 0


def test_the_best_share_is_chosen_by_all_cases_together():
    anna = scores([0.80], [0.82], [0.85], [0.84], [0.80])
    carl = scores(
        [0.70, np.nan], [0.71, np.nan], [0.70, np.nan], [0.75, np.nan], [0.60, np.nan], subject="carl"
    )
    chosen = choose_share([anna, carl])
    assert chosen.share == 0.3
    assert chosen.cases == 2
    assert chosen.dice_before == pytest.approx(0.75)
    # each under the other's choice: Anna's by Carl at 0.3, Carl's by Anna at 0.2
    assert chosen.dice_after == pytest.approx((0.84 + 0.70) / 2)


def test_a_gain_too_small_is_none():
    chosen = choose_share([scores([0.800], [0.801], [0.8015], [0.801], [0.79])])
    assert chosen.share == 0
    assert chosen.dice_before == chosen.dice_after == pytest.approx(0.8)


def test_one_subject_chooses_for_itself():
    both = [scores([0.8], [0.9], [0.8], [0.7], [0.6]), scores([0.6], [0.7], [0.6], [0.5], [0.4])]
    chosen = choose_share(both)
    assert chosen.share == 0.1
    assert chosen.dice_after == pytest.approx(0.8)


def test_no_cases_choose_the_fine_stage():
    chosen = choose_share([])
    assert (chosen.share, chosen.cases) == (0.0, 0)
