"""The fast path against the plain one: kneecascade.inference.plain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from plans import tiny_plan
from tiny_models import knee
from trained_models import least_dice

from kneecascade.inference.cascade import load_folds
from kneecascade.inference.folds import weights_file
from kneecascade.inference.plain import plain_cascade
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.planning.plan_file import write_plan


def test_plain_networks_are_untouched(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plan = tiny_plan()
    for stage, part in (("coarse", plan.coarse), ("fine", plan.fine)):
        save_weights(weights_file(tmp_path / "fold_0", stage), build_network(part.network), {})  # type: ignore[arg-type]
    write_plan(plan, tmp_path / "fold_0" / "plan.json")
    plain = plain_cascade([tmp_path / "fold_0"], "cpu")
    kinds = {type(module).__name__ for network in plain.fine for module in network.modules()}
    assert "BatchNorm3d" in kinds
    assert {p.dtype for network in plain.coarse for p in network.parameters()} == {torch.float32}
    assert plain.device.autocast is None
    fast = load_folds([tmp_path / "fold_0"], "cpu")
    assert plain.folds == fast.folds
    image, _ = knee(1)
    a, b = plain.predict(image), fast.predict(image)
    assert a.region.fraction > 0
    assert np.mean(a.labels.array == b.labels.array) > 0.9


def test_labels_of_a_trained_model_are_those_of_the_fast_path(trained_balls: Path) -> None:
    image, truth = knee(3)
    folder = trained_balls / "fold_0"
    plain = plain_cascade([folder], "cpu").predict(image).labels.array
    fast = load_folds([folder], "cpu").predict(image).labels.array
    assert least_dice(plain, truth.array) > 0.8
    assert least_dice(fast, plain) >= 0.999
