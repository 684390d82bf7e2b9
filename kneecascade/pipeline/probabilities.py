"""Writes the fine stage's probabilities of a region, with what is needed to place them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.files import write_json, written_whole
from kneecascade.inference.result import CascadeResult
from kneecascade.preprocessing.transform import native_box


def save_probabilities(result: CascadeResult, plan: CascadePlan, folder: Path, name: str) -> None:
    """Writes name.npz and name.json, each whole or not at all.

    name.npz holds `probabilities`, float16 (classes, z, y, x), on the region's box of the fine grid.
    name.json holds the names and values of the classes, the box on the fine grid and on the native one,
    and the trace: how both grids lie in the grid of the file.

    Args:
        result: predicted with `keep_probabilities`.
        plan: of the model.
        folder: where to write.
        name: of the case.

    Raises:
        ValueError: the result has no probabilities.
    """
    if result.fine_probabilities is None:
        raise ValueError("the result has no probabilities; predict with keep_probabilities")
    with written_whole(folder / f"{name}.npz") as temporary:
        np.savez_compressed(temporary, probabilities=result.fine_probabilities.astype(np.float16))
    place = {
        "classes": list(plan.labels.names),
        "values": list(plan.labels.values),
        "spacing_mm": list(plan.fine.spacing_mm),
        "box": to_plain(result.region.box),
        "native_box": to_plain(native_box(result.region.box, result.trace)),
        "whole": result.region.whole,
        "trace": to_plain(result.trace),
    }
    write_json(folder / f"{name}.json", place)
