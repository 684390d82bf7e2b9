"""The margin of a fold, chosen by what its held-out cases needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from kneecascade.core.coarse_errors import CaseErrors, CoarseErrors
from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Region, Trace
from kneecascade.imaging.components import dilate_box, margin_voxels

LEAST_MM, GREATEST_MM, STEP_MM = 2.0, 12.0, 0.5
FEWEST_SUBJECTS = 5
"""With fewer the margin may grow beyond the planned one, but not shrink: the largest need of n subjects
is exceeded by the next with a chance of 1 / (n + 1)."""


def calibrated_margin(cases: Sequence[CaseErrors], planned_mm: float, allowance_mm: float) -> float:
    """Returns the largest margin that a case needed, rounded up to half a millimetre, plus an allowance.

    A case that needs more than 12 mm is a miss whatever is chosen, and moves nothing.

    Args:
        cases: that choose.
        planned_mm: stays where no case tells anything, and is the least where there are few subjects.
        allowance_mm: see `allowance_mm`.

    Returns:
        A margin from 2 to 12 mm.
    """
    telling = [case for case in cases if case.needed_mm is not None and case.needed_mm <= GREATEST_MM]
    needs = [case.needed_mm or 0.0 for case in telling]
    if not needs:
        return planned_mm
    # the small number keeps a need such as 5.5000001 from counting as more than 5.5
    largest = STEP_MM * math.ceil(max(needs) / STEP_MM - 1e-3) + allowance_mm
    if len({case.subject for case in telling}) < FEWEST_SUBJECTS:
        largest = max(largest, planned_mm)
    return round(min(GREATEST_MM, max(LEAST_MM, largest)), 3)


def allowance_mm(plan: CascadePlan) -> float:
    """Returns the longest edge of a coarse voxel.

    The faces of the kept box lie on the coarse grid, so a need is known to a coarse voxel and no better.
    """
    return max(plan.coarse.spacing_mm)


def with_margin(plan: CascadePlan, errors: CoarseErrors | None) -> CascadePlan:
    """Returns the plan with the margin that was chosen; unchanged without errors."""
    return plan if errors is None else _with(plan, errors.margin_mm)


def as_planned(plan: CascadePlan, errors: CoarseErrors | None) -> CascadePlan:
    """Returns the plan of a fold with the margin it had before one was chosen."""
    return plan if errors is None else _with(plan, errors.planned_margin_mm)


def left_out_region(
    errors: CoarseErrors | None, name: str, region: Region, trace: Trace, plan: CascadePlan
) -> Region:
    """Returns the region a case would have with the margin chosen without its subject.

    Args:
        errors: of the fold; None where no margin was chosen.
        name: of the case.
        region: the case's own; what comes back where nothing was chosen by this case, or where it is the
            whole image.
        trace: of the case.
        plan: of the fold.
    """
    case = next((case for case in errors.cases if case.name == name), None) if errors else None
    if errors is None or case is None or region.whole:
        return region
    others = [other for other in errors.cases if other.subject != case.subject]
    margin_mm = calibrated_margin(others, errors.planned_margin_mm, allowance_mm(plan))
    box = case_region(case, margin_mm, trace)
    return Region(box, box.voxels / math.prod(trace.fine_shape_zyx), whole=case.whole, widened=case.widened)


def case_region(case: CaseErrors, margin_mm: float, trace: Trace) -> Box:
    """Returns the region of a case on the fine grid with a margin."""
    shape = trace.fine_shape_zyx
    if case.kept is None:
        return Box.whole(shape)
    z, y, x = (extent / n for extent, n in zip(trace.native.extent_mm, shape, strict=True))
    return dilate_box(case.kept, margin_voxels(case.widened * margin_mm, (z, y, x)), shape)


def _with(plan: CascadePlan, margin_mm: float) -> CascadePlan:
    return replace(plan, region=replace(plan.region, margin_mm=margin_mm))
