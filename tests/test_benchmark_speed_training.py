"""Training steps under the stopwatch: kneecascade.benchmark.speed_training."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_plan
from tiny_models import knee

from kneecascade.benchmark import speed_training
from kneecascade.files import read_json
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.store import write_case
from kneecascade.preprocessing.transform import fine_image, prepare, prepare_labels


def test_steps_waits_and_data_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(tiny_plan(), mirror_axes=())
    write_plan(plan, tmp_path / "plan.json")
    image, labels = knee(1)
    prepared = prepare(image, plan, "knee")
    coarse, fine = prepare_labels(labels, prepared.trace, plan)
    write_case(tmp_path / "store", prepared, fine_image(prepared), coarse, fine, plan, "key")
    out = tmp_path / "out.json"
    sizes = ["--patch", "24", "16", "16", "--steps", "2", "--batches", "3", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["x", str(out), str(tmp_path), str(tmp_path / "work"), *sizes])
    speed_training.main()
    found = read_json(out)
    assert found["patch"] == [24, 16, 16]
    assert [len(found[k]) for k in ("wait_s", "step_s", "data_alone_s")] == [2, 2, 3]
    assert np.min(found["step_s"]) > 0
