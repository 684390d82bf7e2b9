import json

import pytest
import torch

from kneecascade.core.settings import TrainSettings
from kneecascade.errors import InputError
from kneecascade.network.checkpoint import load_weights, save_weights
from kneecascade.pipeline.rounds import (
    ScoredRound,
    expect_target,
    is_by_target,
    read_rounds,
    rescore,
    train_rounds,
)


class Fold:
    """A fold whose rounds give the Dices it was told to; `stop` interrupts before that step."""

    def __init__(self, folder, dices):
        self.folder, self.dices, self.done, self.stop = folder, dices, [], None
        self.train_weights(1)
        self.validate()

    @property
    def weights(self):
        return self.folder / "fine" / "model.safetensors"

    def train_weights(self, number):
        save_weights(self.weights, {"w": torch.tensor([float(number)])}, {"round": str(number)})

    def train(self, this_round):
        self.note(f"train {this_round.number} from {load_weights(this_round.start)[1]['round']}")
        self.train_weights(this_round.number)
        return True

    def validate(self):
        number = int(load_weights(self.weights)[1]["round"])
        self.note(f"score {number}")
        dice = {"cartilage": {"cascade": {"mean": self.dices[number - 1]}}}
        (self.folder / "validation").mkdir(exist_ok=True)
        (self.folder / "validation" / "summary.json").write_text(json.dumps({"dice": dice}))

    def note(self, what):
        if what == self.stop:
            self.stop = None
            raise KeyboardInterrupt
        self.done.append(what)

    def go(self, target, rounds=3):
        settings = TrainSettings(target_dice=target, max_rounds=rounds)
        train_rounds(self.folder, ("cartilage",), settings, self.train, self.validate)


def test_a_target_that_is_reached_needs_no_further_round(tmp_path, capsys):
    fold = Fold(tmp_path, [0.9])
    fold.go(0.85)
    assert fold.done == ["score 1"]
    assert "reaches the target 0.850 with a cascade Dice of the targets of 0.900" in capsys.readouterr().out


def test_a_round_that_misses_is_followed_by_another_from_the_best(tmp_path, capsys):
    fold = Fold(tmp_path, [0.7, 0.6, 0.8, 0.9])
    fold.go(0.79, rounds=4)
    wanted = ["score 1", "train 2 from 1", "score 2", "train 3 from 1", "score 3"]
    assert fold.done == wanted
    assert read_rounds(tmp_path) == (ScoredRound(1, 0.7), ScoredRound(2, 0.6), ScoredRound(3, 0.8))
    said = capsys.readouterr().out
    assert "round 1 of 4: cascade Dice of the targets 0.700 on held-out cases misses the target 0.790" in said
    assert "round 2 of 4: cascade Dice of the targets 0.600" in said
    assert "another round from the best weights, of round 1" in said


def test_the_last_round_ends_it_and_the_best_stays(tmp_path, capsys):
    fold = Fold(tmp_path, [0.7, 0.8, 0.6])
    fold.go(0.99)
    assert fold.done[-2:] == ["score 3", "score 2"]
    assert load_weights(fold.weights)[1]["round"] == "2"
    assert "3 of 3 rounds: the best, round 2, misses the target" in capsys.readouterr().out
    fold.go(0.99)  # nothing is left to do
    assert fold.done[-1] == "score 2"
    fold.dices.append(0.995)
    fold.go(0.99, rounds=4)
    assert fold.done[-2:] == ["train 4 from 2", "score 4"]


@pytest.mark.parametrize("stop", ["train 2 from 1", "score 2", "train 3 from 2", "score 3"])
def test_interrupted_anywhere_it_goes_on(tmp_path, stop):
    fold = Fold(tmp_path, [0.7, 0.8, 0.6])
    fold.stop = stop
    with pytest.raises(KeyboardInterrupt):
        fold.go(0.99)
    fold.go(0.99)
    assert [what for what in fold.done if what.startswith("train")] == ["train 2 from 1", "train 3 from 2"]
    assert [scored.dice for scored in read_rounds(tmp_path)] == [0.7, 0.8, 0.6]
    assert load_weights(fold.weights)[1]["round"] == "2"


def test_interrupted_while_the_best_is_brought_back(tmp_path):
    fold = Fold(tmp_path, [0.7, 0.6])
    fold.stop = "score 1"
    with pytest.raises(KeyboardInterrupt):
        fold.go(0.99, rounds=2)
    assert not (tmp_path / "validation" / "summary.json").exists()  # kc_train then scores anew
    assert load_weights(fold.weights)[1]["round"] == "1"


def test_no_time_left_ends_the_rounds(tmp_path, capsys):
    fold = Fold(tmp_path, [0.7])
    fold.train = lambda this_round: False
    fold.go(0.99)
    assert "no time is left for another round" in capsys.readouterr().out


def test_a_new_coarse_stage_makes_old_scores_unknown(tmp_path):
    fold = Fold(tmp_path, [0.7, 0.8])
    fold.go(0.99, rounds=2)
    fold.dices = [0.7, 0.75, 0.9]
    fold.validate()
    rescore(tmp_path, ("cartilage",))
    assert read_rounds(tmp_path) == (ScoredRound(1, None), ScoredRound(2, 0.75))
    fold.go(0.89)
    assert fold.done[-2:] == ["train 3 from 2", "score 3"]


def test_a_target_is_noted_before_the_first_score(tmp_path):
    assert not is_by_target(tmp_path)
    expect_target(tmp_path)
    assert is_by_target(tmp_path)
    assert read_rounds(tmp_path) == ()


def test_broken_rounds_are_named(tmp_path):
    (tmp_path / "fine").mkdir()
    (tmp_path / "fine" / "rounds.json").write_text('{"rounds": [{"number": "one"}]}')
    with pytest.raises(InputError, match=r"rounds\[0\].number: expected int"):
        read_rounds(tmp_path)
