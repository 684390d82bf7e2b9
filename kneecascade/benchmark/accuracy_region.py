"""How many predicted regions cut off some of the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kneecascade.core.case import Case
from kneecascade.core.plan import CascadePlan
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.files import read_labels
from kneecascade.imaging.orientation import canonical_axes, to_canonical


def count_misses(
    scored: Sequence[Case], records: Mapping[str, Mapping[str, Any]], plan: CascadePlan
) -> dict[str, int] | None:
    """Returns the "misses", how many of them are "flagged", and "n".

    Args:
        scored: cases with references.
        records: of predictions.json, by case name.
        plan: says the targets.

    Returns:
        None where knees are mirrored to one side: the record does not say which were.
    """
    if plan.canonical_side != "none":
        return None
    missed = [case.name for case in scored if misses(case, records[case.name]["region"], plan)]
    flagged = sum(bool(records[name]["flags"]) for name in missed)
    return {"misses": len(missed), "flagged": flagged, "n": len(scored)}


def misses(case: Case, region: Mapping[str, Sequence[int]], plan: CascadePlan) -> bool:
    """Returns whether a reference's targets reach beyond a region.

    Args:
        case: with a reference.
        region: "start_zyx", "stop_zyx" on the fine grid of "grid_zyx" voxels.
        plan: says the targets.
    """
    if case.label is None:
        return False
    labels = read_labels(case.label)
    values = [plan.labels.values[k] for k in plan.labels.indices(plan.targets)]
    turned = to_canonical(labels.array, *canonical_axes(labels.geometry))
    found = bounding_box(np.isin(turned, values))
    if found is None:
        return False
    # centres of the outermost target voxels, in voxels of the fine grid
    step = np.asarray(region["grid_zyx"]) / turned.shape
    low = (np.asarray(found.start_zyx) + 0.5) * step
    high = (np.asarray(found.stop_zyx) - 0.5) * step
    return bool(
        (low < np.asarray(region["start_zyx"])).any() or (high > np.asarray(region["stop_zyx"])).any()
    )
