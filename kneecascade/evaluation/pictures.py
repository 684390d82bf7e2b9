"""Pictures of scores: a box plot of each measure, agreement after Bland and Altman."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.evaluation.agreement import Agreement
from kneecascade.files import written_whole

BLUE, RED = "#2b6cb0", "#c53030"
BOX_WIDTH = 0.5


def box_plots_png(
    path: Path, values: Mapping[str, Mapping[str, Sequence[float]]], titles: Mapping[str, str]
) -> None:
    """Draws a panel a measure, in it a box a label with every case as a dot.

    The box runs between the quartiles, its line is the median, whiskers reach the farthest case within one
    and a half boxes; dots are shifted sideways so that they are seen.

    Args:
        path: the PNG.
        values: of all cases, by measure and label; labels without values are left empty.
        titles: of the panels, by measure.
    """
    figure, axes = _figure(len(values), wide=2.2 + 0.75 * max((len(v) for v in values.values()), default=1))
    shift = np.random.default_rng(0)
    for panel, (measure, by_label) in zip(axes, values.items(), strict=True):
        there = [np.asarray(v, dtype=float) for v in by_label.values()]
        panel.boxplot(there, widths=BOX_WIDTH, showfliers=False, medianprops={"color": RED, "linewidth": 1.6})
        for k, dots in enumerate(there):
            x = k + 1 + shift.uniform(-0.14, 0.14, len(dots))
            panel.plot(x, dots, "o", color=BLUE, markersize=3.5, alpha=0.6, markeredgewidth=0)
        panel.set_xticks(range(1, len(by_label) + 1), [f"{name} ({len(v)})" for name, v in by_label.items()])
        panel.tick_params(axis="x", rotation=40, labelsize=8)
        for text in panel.get_xticklabels():
            text.set_horizontalalignment("right")
            text.set_rotation_mode("anchor")
        panel.set_title(titles[measure], fontsize=10)
        panel.grid(axis="y", alpha=0.3)
    _save(figure, path)


def agreement_png(
    path: Path,
    pairs: Mapping[str, Mapping[str, tuple[float, float]]],
    agreement: Mapping[str, Agreement],
    unit: str,
) -> None:
    """Draws a panel a label: difference against mean of reference and prediction, bias and limits.

    Args:
        path: the PNG.
        pairs: reference and prediction by label and case.
        agreement: of each label.
        unit: of the quantity, "ml" or "mm".
    """
    figure, axes = _figure(len(pairs), wide=4.2)
    for panel, (label, by_case) in zip(axes, pairs.items(), strict=True):
        both = np.array(list(by_case.values()), dtype=float).reshape(-1, 2)
        panel.plot(both.mean(axis=1), both[:, 1] - both[:, 0], "o", color=BLUE, markersize=4, alpha=0.7)
        panel.axhline(0, color="black", linewidth=0.6)
        found = agreement[label]
        for value, style in ((found.bias, "-"), (found.lower_limit, "--"), (found.upper_limit, "--")):
            if value is not None:
                panel.axhline(value, color=RED, linestyle=style, linewidth=1)
                panel.annotate(
                    f"{value:.2g}",
                    (1, value),
                    xycoords=("axes fraction", "data"),
                    fontsize=8,
                    ha="right",
                    va="bottom",
                    color=RED,
                )
        panel.set_title(f"{label} (n {found.n})", fontsize=10)
        panel.set_xlabel(f"mean of both, {unit}", fontsize=9)
        panel.set_ylabel(f"predicted less reference, {unit}", fontsize=9)
        panel.margins(0.08, 0.15)
    _save(figure, path)


def _figure(panels: int, wide: float) -> tuple[Any, Sequence[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(panels, 3)
    rows = -(-panels // columns)
    figure = Figure(figsize=(wide * columns, 3.9 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in axes[panels:]:
        empty.set_axis_off()
    return figure, list(axes[:panels])


def _save(figure: Any, path: Path) -> None:
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png")
