"""A cascade whose networks were trained for seconds, on the balls of `tiny_models.knee`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from plans import tiny_plan
from tiny_models import knee
from torch.nn import functional

from kneecascade.core.plan import StagePlan
from kneecascade.inference.folds import weights_file
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.transform import fine_image, prepare, prepare_labels

STEPS = {"coarse": 50, "fine": 80}
CLASS_WEIGHTS = torch.tensor([1.0, 3.0, 6.0])
PART = (slice(8, 32), slice(8, 32), slice(10, 34))
"""Of the fine grid: the ball and its cap."""

Example = tuple[np.ndarray, np.ndarray]


def save_trained_model(folder: Path) -> Path:
    """Writes a model folder with fold_0 of `tiny_plan`; its Dice on `knee` is about .9."""
    plan = tiny_plan()
    examples: dict[str, list[Example]] = {"coarse": [], "fine": []}
    for seed in (1, 2):
        volume, labels = knee(seed)
        prepared = prepare(volume, plan, "training")
        coarse, fine = prepare_labels(labels, prepared.trace, plan)
        examples["coarse"].append((prepared.coarse, coarse))
        examples["fine"].append((fine_image(prepared)[(slice(None), *PART)].copy(), fine[PART]))
    torch.manual_seed(0)
    for stage, part in (("coarse", plan.coarse), ("fine", plan.fine)):
        network = _trained(part, examples[stage], STEPS[stage])
        save_weights(weights_file(folder / "fold_0", stage), network, {})  # type: ignore[arg-type]
    write_plan(plan, folder / "fold_0" / "plan.json")
    return folder


def _trained(part: StagePlan, examples: list[Example], steps: int) -> torch.nn.Module:
    network = build_network(part.network)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.momentum = 0.3  # its averages keep up with so few steps
    optimizer = torch.optim.AdamW(network.parameters(), 2e-2)
    for step in range(steps):
        image, label = examples[step % len(examples)]
        logits = network(torch.from_numpy(image)[None])[0]
        truth = torch.from_numpy(label.astype(np.int64))[None]
        optimizer.zero_grad()
        functional.cross_entropy(logits, truth, CLASS_WEIGHTS).backward()
        optimizer.step()
    return network.eval()


def least_dice(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the smaller Dice of two label arrays over bone and cartilage."""
    return min(2 * ((a == v) & (b == v)).sum() / ((a == v).sum() + (b == v).sum()) for v in (1, 2))
