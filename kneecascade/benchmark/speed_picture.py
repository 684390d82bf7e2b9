"""The bars of the speed benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kneecascade.benchmark.speed_numbers import Row

COLOURS = {"nnU-Net v2": "#b0b0b0", "kneecascade": "#1f6f8b"}


def draw_speed(path: Path, rows: Sequence[Row]) -> None:
    """Draws a pair of bars for every row in seconds or gigabytes, on a logarithmic axis.

    Args:
        path: of the PNG.
        rows: see `speed_numbers.Numbers.rows`; those in other units are left out.
    """
    from matplotlib.figure import Figure

    shown = [row for row in rows if row.unit in ("s", "GB")]
    figure = Figure(figsize=(9, 0.8 + 0.62 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    for k, row in enumerate(shown):
        pair = (("nnU-Net v2", row.peer, -0.2), ("kneecascade", row.ours, 0.2))
        for name, value, shift in pair:
            if value is not None and value > 0:
                axes.barh(k + shift, value, 0.38, color=COLOURS[name], label=name if k == 0 else None)
                axes.text(value, k + shift, f" {value:.3g} {row.unit}", va="center", fontsize=9)
        if row.ratio is not None:
            axes.text(
                0.995, k, f"{row.ratio:.3g}x ", transform=axes.get_yaxis_transform(), ha="right", va="center"
            )
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 20)
    axes.set_yticks(range(len(shown)), [f"{row.what} ({row.unit})" for row in shown])
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("seconds or gigabytes, each step ten times more; less is better")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.12), ncols=2, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
