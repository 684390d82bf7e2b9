"""Commands under the stopwatch: kneecascade.benchmark.speed_process."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path

import pytest

from kneecascade.benchmark.speed_process import run_measured
from kneecascade.errors import KneecascadeError, MissingExtraError

HOLD = "import subprocess, sys, time; held = bytearray(b'x' * 80_000_000); "
CHILD = HOLD + "time.sleep(0.8)"
PARENT = HOLD + f"subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_time_and_memory_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    run = run_measured([sys.executable, "-c", PARENT], tmp_path / "log.txt")
    assert 0.8 <= run.seconds < 60
    assert 0.16 < run.peak_gb < 0.5
    assert 0 < run.cpu_s < run.seconds + 1


def test_variables_reach_the_command_and_its_words_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log.txt"
    code = "import os; print('said', os.environ['KC_TRIED'])"
    run_measured([sys.executable, "-c", code], log, {"KC_TRIED": "this"})
    assert "said this" in log.read_text()


def test_a_failure_tells_the_last_words(tmp_path: Path) -> None:
    code = "import sys; print('all is lost'); sys.exit(3)"
    with pytest.raises(KneecascadeError, match=r"ended with code 3: .*all is lost; see"):
        run_measured([sys.executable, "-c", code], tmp_path / "log.txt")


def test_without_psutil_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "psutil":
            raise ImportError
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"kneecascade\[benchmark\]"):
        run_measured([sys.executable, "-c", ""], tmp_path / "log.txt")
