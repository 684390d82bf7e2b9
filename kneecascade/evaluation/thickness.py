"""A quick estimate of the mean thickness of a sheet, to compare two segmentations of it."""

from __future__ import annotations


def volume_over_half_surface_mm(volume_mm3: float, area_mm2: float) -> float | None:
    """Returns 2 V / S, the mean thickness of a sheet that is wide against its thickness.

    Exact for a flat sheet along the voxels' axes but for its rim. Surfaces across the axes have too much
    area in steps, so the estimate is too small, alike in reference and prediction (numbers in
    documentation/measures.md); it is for errors and bias, not for reporting a knee's thickness.

    Args:
        volume_mm3: of the sheet.
        area_mm2: of its surface, both sides.

    Returns:
        None where there is no surface.
    """
    return 2 * volume_mm3 / area_mm2 if area_mm2 > 0 else None
