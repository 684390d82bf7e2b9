"""kneecascade.inference.timed."""

from __future__ import annotations

import time

import pytest

from kneecascade.inference.timed import timed


def test_seconds_of_a_step_add_up() -> None:
    seconds = {"fine": 1.0}
    for step in ("fine", "coarse", "fine"):
        with timed(seconds, step):
            time.sleep(0.01)
    assert list(seconds) == ["fine", "coarse"]
    assert seconds["fine"] == pytest.approx(1.02, abs=0.5)
    assert seconds["fine"] >= 1.02
    assert seconds["coarse"] >= 0.01
