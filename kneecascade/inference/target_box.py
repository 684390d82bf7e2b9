"""Where the targets lie after the fine look: what the coarse stage decides again, what the image cuts."""

from __future__ import annotations

import math

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import bounding_box, plausible_components
from kneecascade.imaging.orientation import to_canonical
from kneecascade.inference.plausibility import touched_sides
from kneecascade.inference.result import Look
from kneecascade.planning.sides import OTHER


def target_box(labels: LabelVolume, trace: Trace, plan: CascadePlan) -> Box | None:
    """Returns the box around all targets on the canonical native grid; None where there are none.

    Args:
        labels: file values.
        trace: of the case.
        plan: names the targets.
    """
    values = [plan.labels.values[k] for k in plan.labels.indices(plan.targets)]
    return bounding_box(np.isin(to_canonical(labels.array, trace.axes_zyx, trace.flips_zyx), values))


def believable_box(labels: LabelVolume, trace: Trace, plan: CascadePlan) -> Box | None:
    """Returns `target_box` without the pieces that are too small to be believed in a region.

    In tiles of a whole image the fine stage sees skin and air without the knee, and draws specks there:
    one at the edge of the leg would hand it the whole leg.
    """
    view = to_canonical(labels.array, trace.axes_zyx, trace.flips_zyx)
    kept = np.zeros(view.shape, dtype=bool)
    for name, least_mm3 in zip(plan.targets, plan.region.min_component_mm3, strict=True):
        least = max(1, math.ceil(least_mm3 / trace.native.voxel_mm3 - 1e-6))
        kept |= plausible_components(view == plan.labels.values[plan.labels.index(name)], least)
    return bounding_box(kept) or target_box(labels, trace, plan)


def border_flags(look: Look, trace: Trace, plan: CascadePlan) -> list[str]:
    """Flags a knee cut by the image, once the fine stage says so too: coarse labels stray more easily."""
    if not look.region.at_border:
        return []
    box, native = target_box(look.labels, trace, plan), trace.native
    sides = touched_sides(box, native.shape_zyx, native.spacing_mm, plan) if box else ()
    if trace.mirrored:
        sides = tuple(OTHER.get(side, side) for side in sides)
    return [f"targets reach the border of the image: {', '.join(sides)}"] if sides else []
