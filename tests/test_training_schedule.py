import time

import pytest

from kneecascade.core.settings import TrainSettings
from kneecascade.training.schedule import DEFAULT_EPOCHS, Clock, Schedule, make_schedule


def test_the_nearer_end_counts():
    both = Schedule(1.0, steps=100, budget_s=50.0)
    assert both.progress(10, 20.0) == pytest.approx(0.4)
    assert both.progress(60, 20.0) == pytest.approx(0.6)
    assert not both.over(99, 49.0)
    assert both.over(100, 0.0)
    assert both.over(0, 50.0)


def test_the_rate_rises_then_falls_to_zero():
    schedule = Schedule(2.0, steps=1000, budget_s=None)
    rates = [schedule.learning_rate(schedule.progress(k, 0.0)) for k in range(1001)]
    assert 0 < rates[0] < 0.1
    assert max(rates) == pytest.approx(2.0, rel=0.03)
    top = rates.index(max(rates))
    assert top <= 30
    assert all(a > b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == 0.0


def test_without_epochs_time_alone_rules():
    timed = make_schedule(TrainSettings(), 60.0)
    assert timed.steps is None
    assert timed.progress(10**6, 30.0) == pytest.approx(0.5)
    assert make_schedule(TrainSettings(iterations_per_epoch=7), None).steps == 7 * DEFAULT_EPOCHS
    assert make_schedule(TrainSettings(epochs=3, iterations_per_epoch=7), 60.0).steps == 21


def test_time_left():
    assert Schedule(1.0, 100, None).seconds_left(40, 0.0, 2.0) == pytest.approx(120)
    assert Schedule(1.0, 100, 50.0).seconds_left(40, 20.0, 2.0) == pytest.approx(30)


def test_the_clock_counts_earlier_runs():
    clock = Clock()
    clock.add(100.0)
    assert 100.0 <= clock.elapsed_s() < 101.0


def test_a_clock_of_the_processor_stands_still_while_nothing_is_computed():
    clock, wall = Clock("processor"), Clock()
    clock.add(5.0)
    time.sleep(0.1)
    assert wall.elapsed_s() >= 0.1
    assert 5.0 <= clock.elapsed_s() < 5.08
    while clock.elapsed_s() < 5.1:
        sum(range(1000))
    assert wall.elapsed_s() >= 0.19


@pytest.mark.parametrize("budget_s", [0.0, -3.0])
def test_a_budget_that_is_used_up_is_over(budget_s):
    schedule = Schedule(1.0, None, budget_s)
    assert schedule.over(0, 0.0)
    assert schedule.seconds_left(0, 0.0, 1.0) == 0.0
