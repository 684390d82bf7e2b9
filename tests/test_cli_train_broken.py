"""kc_train when things go wrong: killed at any moment, files that break while it reads them."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from plans import tiny_plan
from raw_folder import write_raw

from kneecascade.cli.train import main
from kneecascade.network.checkpoint import load_weights
from kneecascade.pipeline.plan_and_preprocess import prepare_case
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.store import case_key
from kneecascade.workspace import PLAN, STORE, find_workspace

NAME = "Dataset001_Tiny"
FLAGS = "--device cpu --seed 7 --epochs 3 --iterations-per-epoch 6 --ema --patience 50 --workspace"
ARGUMENTS = ["1", "0", *FLAGS.split()]


def prepare(folder):
    workspace = find_workspace(str(folder))
    raw = read_dataset(write_raw(workspace.raw / NAME))
    plan, prepared = tiny_plan(), workspace.preprocessed / NAME
    write_plan(plan, prepared / PLAN)
    for case in raw.training:
        prepare_case((case, case_key(case, plan)), plan, prepared / STORE)
    return workspace.results / NAME / "fold_0"


def kill_in_the_middle(arguments, checkpoint):
    """Starts kc_train as a process of its own and kills it in the epoch after the first checkpoint."""
    command = [sys.executable, "-m", "kneecascade.cli.train", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        start = time.monotonic()
        while not checkpoint.is_file():
            assert process.poll() is None, process.stdout.read().decode()
            assert time.monotonic() - start < 120
            time.sleep(0.005)
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def same(one, other):
    a, b = load_weights(one)[0], load_weights(other)[0]
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_killed_and_continued_gives_the_same_weights(tmp_path):
    whole, parts = prepare(tmp_path / "whole"), prepare(tmp_path / "parts")
    arguments = [*ARGUMENTS, str(tmp_path / "parts"), "--stage", "fine"]
    kill_in_the_middle(arguments, parts / "fine" / "training_state.safetensors")
    assert not (parts / "fine" / "model.safetensors").exists()
    assert main([*arguments, "--continue"]) == 0
    assert main([*ARGUMENTS, str(tmp_path / "whole"), "--stage", "fine"]) == 0
    assert same(whole / "fine" / "model.safetensors", parts / "fine" / "model.safetensors")
    assert "going on after epoch" in (parts / "training.log").read_text()


def coarse_images(folder):
    return sorted((folder / "preprocessed" / NAME / STORE).glob("*/coarse_image.b2nd"))


def test_a_broken_file_is_named_at_once(tmp_path, capsys):
    prepare(tmp_path)
    for path in coarse_images(tmp_path):
        path.write_bytes(path.read_bytes()[:-500])
    assert main([*ARGUMENTS, str(tmp_path)]) == 2
    assert "3 cases are not prepared, or data or plan have changed since" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_file_that_breaks_while_workers_read_ends_it_within_seconds(tmp_path, monkeypatch, capsys):
    prepare(tmp_path)
    monkeypatch.setattr("kneecascade.training.bench.free_memory_bytes", lambda: 0)  # so processes read
    gone = []

    def break_off(*_):
        for path in coarse_images(tmp_path):
            os.truncate(path, 200)
        gone.append(time.monotonic())

    monkeypatch.setattr("kneecascade.training.loop.draw_progress", break_off)  # after the first epoch
    assert main([*ARGUMENTS, str(tmp_path), "--workers", "2", "--iterations-per-epoch", "30"]) == 2
    assert time.monotonic() - gone[0] < 10
    assert len(gone) == 1
    told = capsys.readouterr().err
    assert re.search(r"a patch could not be read, step \d+: case\d: its prepared arrays cannot be read", told)
