from dataclasses import replace

import numpy as np
import pytest
from plans import tiny_plan
from prepared import cube_case, fake_case

from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors, Piece
from kneecascade.core.geometry import Box
from kneecascade.training.cases import stage_case
from kneecascade.training.error_model import sampling_from
from kneecascade.training.sampling import GUESSED, Sampling, draw_region

EXACT = Sampling(margin_mm=0, margin_jitter_mm=0, lost_chance=0, spurious_chance=0)
MM = (1.0, 1.0, 1.0)


def two_pieces():
    label = np.zeros((40, 40, 40), np.uint8)
    label[4:10, 4:10, 4:10] = 2
    label[24:34, 24:34, 24:34] = 2
    return stage_case(fake_case("two", label, np.random.default_rng(0)), "fine", tiny_plan())


def draw(case, sampling, seed=0):
    return draw_region(case, case.target_box, sampling, MM, np.random.default_rng(seed))


def test_without_errors_the_region_is_the_targets_and_their_margin():
    case = two_pieces()
    assert draw(case, EXACT) == case.target_box == Box((4, 4, 4), (34, 34, 34))
    assert draw(case, replace(EXACT, margin_mm=3)) == Box((1, 1, 1), (37, 37, 37))
    assert draw(case, replace(EXACT, margin_mm=90)) == Box.whole((40, 40, 40))
    assert draw(case, replace(EXACT, margin_mm=-2)) == Box((6, 6, 6), (32, 32, 32))


def test_a_lost_piece_leaves_the_others():
    case = two_pieces()
    assert len(case.pieces) == 2
    drawn = {draw(case, replace(EXACT, lost_chance=1), seed) for seed in range(20)}
    assert drawn == {Box((4, 4, 4), (10, 10, 10)), Box((24, 24, 24), (34, 34, 34))}
    alone = stage_case(cube_case(1, (40, 40, 40)), "fine", tiny_plan())
    assert draw(alone, replace(EXACT, lost_chance=1)) == alone.target_box


def test_a_spurious_piece_only_enlarges():
    case = two_pieces()
    wild = replace(EXACT, spurious_chance=1, spurious_mm3=64, spurious_reach_mm=5)
    for seed in range(20):
        box = draw(case, wild, seed)
        assert all(a <= 4 for a in box.start_zyx)
        assert all(b >= 34 for b in box.stop_zyx)
        assert all(a >= 0 and b <= 40 for a, b in zip(box.start_zyx, box.stop_zyx, strict=True))
    assert len({draw(case, wild, seed) for seed in range(20)}) > 5


def test_jitter_stays_inside_its_bounds():
    case = two_pieces()
    starts = [draw(case, replace(EXACT, margin_jitter_mm=3), seed).start_zyx for seed in range(60)]
    assert {a for start in starts for a in start} == set(range(1, 8))


def errors(*cases, margin_mm=6.0):
    return CoarseErrors(8.0, margin_mm, 1.0, cases)


def case_errors(low, high, lost=0, spurious=()):
    pieces = tuple(Piece("cartilage", mm3) for mm3 in spurious)
    sides = ((low,) * 3, (high,) * 3)
    return CaseErrors("a", "a", None, 1.0, False, sides, (Piece("cartilage", 9.0),) * lost, pieces)


def test_the_numbers_come_from_what_was_measured(capsys):
    plan = tiny_plan(margin_mm=6.0)
    measured = errors(case_errors(1.0, 3.0), case_errors(0.0, 0.0, 1, (10.0, 30.0)), case_errors(1.0, 3.0))
    sampling = sampling_from(measured, plan)
    assert sampling.margin_mm == 6.0 - 2.0  # the box is 2 mm short on the average of all sides
    assert sampling.margin_jitter_mm == pytest.approx(3**0.5, abs=0.01)  # standard deviation 1
    assert sampling.lost_chance == sampling.spurious_chance == 1.5 / 4
    assert sampling.spurious_mm3 == 20.0
    assert "as measured on 3 held-out cases" in capsys.readouterr().out


def test_what_was_never_seen_stays_possible():
    sampling = sampling_from(errors(*[case_errors(0.0, 0.0)] * 9), tiny_plan())
    assert sampling.lost_chance == 0.05
    assert sampling.spurious_mm3 == max(tiny_plan().region.min_component_mm3)


def test_guesses_stay_where_nothing_was_measured(capsys):
    assert sampling_from(None, tiny_plan()) is GUESSED
    assert "guessed errors" in capsys.readouterr().out
    nowhere = CaseErrors("a", "a", None, 1.0, True, None, (Piece("cartilage", 9.0),), ())
    assert sampling_from(errors(nowhere), tiny_plan()) is GUESSED
    assert "found no region" in capsys.readouterr().out
    torn = case_errors(0.0, 0.0, lost=1)
    assert sampling_from(errors(torn), tiny_plan()).margin_jitter_mm == GUESSED.margin_jitter_mm
    assert sampling_from(errors(torn, nowhere), tiny_plan()).lost_chance == 1.5 / 2
