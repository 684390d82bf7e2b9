import pytest

from kneecascade.training.position import Position


def after(*dices, patience=None, steps_an_epoch=10, steps_left=1000.0):
    position = Position()
    for k, dice in enumerate(dices, start=1):
        position = position.__class__(**{**vars(position), "epoch": k, "step": k * steps_an_epoch})
        position = position.watched(dice).ramped(patience, steps_an_epoch, 0.01, steps_left)
    return position


def test_the_best_epoch_is_that_of_the_smoothed_dice():
    rising = after(0.5, 0.6, 0.7)
    assert rising.is_best()
    assert rising.smoothed == pytest.approx(0.7 * (0.7 * 0.5 + 0.3 * 0.6) + 0.3 * 0.7)
    lucky = after(0.5, 0.3, 0.6)  # one good epoch does not make up for the bad one before
    assert (lucky.best_epoch, lucky.is_best()) == (1, False)


def test_the_later_of_two_equal_epochs_is_the_better():
    assert after(0.0, 0.0, 0.0).is_best()


def test_an_epoch_without_a_dice_changes_nothing():
    assert after(None, None).best is None
    assert not after(None).is_best()
    assert after(0.5, None).best == after(0.5).best


def test_patience_begins_a_ramp_down():
    dices = [0.5] + [0.4] * 3
    assert after(*dices, patience=4).ramp_steps == 0
    ended = after(*dices, patience=3)
    assert (ended.ramp_step, ended.ramp_steps, ended.ramp_rate) == (40, 10, 0.01)
    assert not ended.ramp_over(49)
    assert ended.ramp_over(50)
    assert ended.ramp_factor(40) == 1
    assert ended.ramp_factor(45) == 0.5
    assert after(0.5, *[0.4] * 3).ramp_steps == 0  # endless without patience


def test_a_long_training_ramps_longer():
    assert after(0.6, *[0.5] * 299, patience=299).ramp_steps == 300


def test_the_schedule_itself_ends_the_round_where_a_ramp_would_take_longer():
    assert after(0.6, *[0.5] * 3, patience=3, steps_left=10).ramp_steps == 0


def test_a_ramp_is_begun_once():
    ended = after(0.6, *[0.5] * 5, patience=3)
    assert ended.ramp_step == 40


def test_another_round_counts_on_and_forgets_the_best():
    position = Position(epoch=7, step=70, elapsed_s=9.0, best=0.8, best_epoch=5, smoothed=0.7, ramp_steps=10)
    following = position.next_round(2)
    assert (following.epoch, following.step, following.elapsed_s) == (7, 70, 9.0)
    assert (following.round, following.first_step, following.first_s) == (2, 70, 9.0)
    assert (following.best, following.best_epoch, following.ramp_steps) == (None, 7, 0)
