"""What the stopwatch puts around the cascade: kneecascade.benchmark.speed_answers."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

from kneecascade import allocator
from kneecascade.benchmark import speed_answers
from kneecascade.benchmark.speed_answers import COARSE_FILE, FINE_FILE, install
from kneecascade.inference import cascade, plain


@pytest.mark.parametrize("in_plain_float32", [True, False])
def test_networks_load_plain_or_as_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_plain_float32: bool
) -> None:
    """Called as `load_cascade` calls it, with the arguments that both ways of loading have today."""
    plainly, fast = inspect.signature(plain.plain_cascade), inspect.signature(cascade.load_folds)
    for module, name in ((cascade, "predict_stage"), (cascade, "find_region"), (allocator, "tune_allocator")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    monkeypatch.setattr(cascade, "load_folds", lambda *a: ("fast", fast.bind(*a).arguments))
    monkeypatch.setattr(plain, "plain_cascade", lambda *a: ("plain", plainly.bind(*a).arguments))
    monkeypatch.setattr(cascade, "trained_folds", lambda folder, folds: [folder / "fold_0"])
    monkeypatch.setattr(speed_answers.atexit, "register", lambda work: None)
    for name in (COARSE_FILE, FINE_FILE):
        np.save(tmp_path / name, np.zeros((2, 2, 2), np.uint8))
    install(tmp_path / "marks.json", tmp_path, in_plain_float32)
    way, arguments = cascade.load_cascade(tmp_path, device="cpu", tta=True)  # type: ignore[misc]
    assert way == ("plain" if in_plain_float32 else "fast")
    assert (arguments["device"], arguments["tta"]) == ("cpu", True)
