"""Dice against training time, seconds a case and multiply-adds a case."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kneecascade.benchmark.accuracy_numbers import Entry, Numbers

COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#7b5ea7", "#d19a00", "#3d405b", "#8c564b", "#e377c2")
PEER_COLOUR = "#909090"


def draw_accuracy(path: Path, numbers: Numbers) -> None:
    """Draws three panels of the mean Dice of cartilage, or of the targets.

    Args:
        path: of the PNG.
        numbers: of all runs; a variant at several budgets is a line.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    axes_of: tuple[tuple[str, Callable[[Entry], float]], ...] = (
        ("seconds of training", Entry.training_s),
        ("seconds a case, prediction", lambda entry: entry.of_runs("prediction", "seconds_a_case")),
        (
            "multiply-adds a case, thousand millions",
            lambda entry: entry.of_runs("prediction", "gmacs_a_case"),
        ),
    )
    for panel, (title, number) in zip(panels, axes_of, strict=True):
        _draw_panel(panel, numbers, number)
        panel.set_xlabel(title)
    panels[0].margins(y=0.2)
    panels[0].set_ylabel("mean Dice: " + ",\n".join(numbers.judged), fontsize=8)
    panels[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw_panel(panel: Any, numbers: Numbers, number: Callable[[Entry], float]) -> None:
    everyone = [entry for group in numbers.by_budget.values() for entry in group]
    for k, name in enumerate(dict.fromkeys(entry.name for entry in everyone)):
        entries = [entry for entry in everyone if entry.name == name]
        peer = entries[0].first["tool"] != "kneecascade"
        colour = PEER_COLOUR if peer else COLOURS[k % len(COLOURS)]
        points = [(number(entry), numbers.judged_dice(entry)) for entry in entries]
        panel.plot(*zip(*points, strict=True), "s-" if peer else "o-", color=colour, label=name)
    ticks = log_ticks([number(entry) for entry in everyone])
    panel.set_xscale("log")
    panel.set_xlim(ticks[0], ticks[-1])
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.minorticks_off()
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)


def log_ticks(values: Sequence[float]) -> list[float]:
    """Returns 1, 2 and 5 times powers of ten, from below the smallest value to above the largest.

    Args:
        values: at least one; those not above 0 are left out.
    """
    there = [value for value in values if value > 0] or [1.0]
    low, high = min(there), max(there)
    decades = range(math.floor(math.log10(low)) - 1, math.floor(math.log10(high)) + 2)
    steps = [float(f"{step}e{decade}") for decade in decades for step in (1, 2, 5)]
    first = max(k for k, step in enumerate(steps) if step < low)
    last = min(k for k, step in enumerate(steps) if step > high)
    return steps[first : last + 1]
