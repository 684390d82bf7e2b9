import argparse

import pytest

from kneecascade.cli.arguments import duration, fold_list
from kneecascade.cli.train import main
from kneecascade.core.settings import TrainSettings


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("40m", 2400), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86400)],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "40", "m", "-3m", "0s", "1 h", "3x"])
def test_what_is_no_duration(text):
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "folds"),
    [("0", (0,)), ("0-4", (0, 1, 2, 3, 4)), ("0,2", (0, 2)), ("1,0-2", (1, 0, 2)), ("all", None)],
)
def test_folds(text, folds):
    assert fold_list(text) == folds


@pytest.mark.parametrize("text", ["", "a", "4-1", "-1", "0,", "1.5"])
def test_what_names_no_folds(text):
    with pytest.raises(argparse.ArgumentTypeError, match="names no folds"):
        fold_list(text)


@pytest.fixture
def called(monkeypatch):
    calls = []
    monkeypatch.setattr("kneecascade.pipeline.train.train_folds", lambda *given: calls.append(given))
    return calls


def test_flags_become_settings(called, tmp_path):
    flags = (
        "--epochs 3 --iterations-per-epoch 7 --time-limit 40m --batch-size 4 --learning-rate 0.01 "
        "--seed 5 --device cpu --continue --stage fine --pretrained weights.pth --workers 3 "
        "--patience 9 --ema --target-dice 0.88 --max-rounds 4"
    )
    assert main(["1", "0-1", *flags.split(), "--workspace", str(tmp_path)]) == 0
    workspace, dataset, folds, settings = called[0]
    assert workspace.raw == tmp_path / "raw"
    assert (dataset, folds) == ("1", (0, 1))
    assert settings == TrainSettings(
        epochs=3,
        iterations_per_epoch=7,
        time_limit_s=2400.0,
        batch_size=4,
        learning_rate=0.01,
        seed=5,
        device="cpu",
        stages=("fine",),
        resume=True,
        pretrained="weights.pth",
        workers=3,
        patience=9,
        ema=True,
        target_dice=0.88,
        max_rounds=4,
    )


def test_without_flags_the_defaults_hold(called):
    assert main(["Dataset001_Knee", "all"]) == 0
    assert called[0][1:] == ("Dataset001_Knee", None, TrainSettings())


@pytest.mark.parametrize(
    "flags",
    [
        ["--epochs", "0"],
        ["--learning-rate", "-1"],
        ["--learning-rate", "nan"],
        ["--continue", "--overwrite"],
        ["--patience", "0"],
        ["--target-dice", "88"],
    ],
)
def test_wrong_flags_are_refused(flags, called, capsys):
    with pytest.raises(SystemExit) as end:
        main(["1", "0", *flags])
    assert end.value.code == 2
    assert not called


def test_a_data_set_that_is_not_there(tmp_path, capsys):
    assert main(["1", "0", "--workspace", str(tmp_path)]) == 2
    assert "no such data set" in capsys.readouterr().err


def test_a_target_alone_means_three_rounds(called):
    assert main(["1", "0", "--target-dice", "0.9"]) == 0
    assert called[0][3].max_rounds == 3


def test_rounds_without_a_target_are_refused(tmp_path, capsys):
    assert main(["1", "0", "--max-rounds", "2", "--workspace", str(tmp_path)]) == 2
    assert "--max-rounds needs --target-dice" in capsys.readouterr().err
