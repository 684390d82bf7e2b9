"""The numbers of one joint: areas, thickness, volumes, for the whole and for each region."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneecascade.biomarkers import inner
from kneecascade.biomarkers.footprint import TAB_METHOD
from kneecascade.biomarkers.joint import Joint
from kneecascade.biomarkers.mesh import enclosed_mm3
from kneecascade.biomarkers.regions import Regions
from kneecascade.biomarkers.table import WHOLE, Row
from kneecascade.biomarkers.thickness import CAP_MM

PERCENTILES = (5, 50, 95)
NORMAL = f"surface normal, cap {CAP_MM:g} mm"
NEAREST = "nearest neighbour"
COUNTED = "voxels counted"
ENCLOSED = "enclosed by the closed surface; smoothing takes off the rim of the sheet"
NO_BONE = "no value: the labels have no bone, so bare bone cannot be told"
NOTHING = "no value: nothing of it in the labels"


def rows_of_joint(case: str, joint: Joint, regions: Regions) -> Iterator[Row]:
    """Yields areas and thickness of a cartilage, whole and by region.

    Args:
        case: name of the examination.
        joint: its surfaces.
        regions: bool (N,) by name, over the vertices of the joint's mesh.
    """
    everywhere = np.ones(len(joint.covered), dtype=bool)
    for region, part in ((WHOLE, everywhere), *regions.items()):
        for measure, value, unit, method in _of_part(joint, part):
            yield Row(case, joint.cartilage, region, measure, value, unit, method)
    yield Row(
        case, joint.cartilage, WHOLE, "surface_volume", enclosed_mm3(joint.closed) / 1000, "ml", ENCLOSED
    )


def volume_rows(
    case: str, structure: str, voxels: dict[str, int], voxel_mm3: float, method: str = COUNTED
) -> Iterator[Row]:
    """Yields the volume of a structure and of its regions, in ml.

    Args:
        case: name of the examination.
        structure: name of the structure.
        voxels: counts by region.
        voxel_mm3: volume of one.
        method: how they were counted.
    """
    for region, count in voxels.items():
        yield Row(case, structure, region, "volume", count * voxel_mm3 / 1000, "ml", method)


def _of_part(joint: Joint, part: np.ndarray) -> Iterator[tuple[str, float | None, str, str]]:
    covered, total = joint.covered & part, joint.total & part
    c_area, t_area = (float(joint.areas_mm2[one].sum()) for one in (covered, total))
    footprint = "bone-cartilage interface" if joint.has_bone else inner.METHOD
    yield "cAB", c_area, "mm2", footprint
    if joint.has_bone:
        yield "tAB", t_area, "mm2", TAB_METHOD
        yield "dAB", t_area - c_area, "mm2", f"tAB - cAB; tAB: {TAB_METHOD}"
        share = 100 * (t_area - c_area) / t_area if t_area else None
        yield "FCL", share, "%", f"100 dAB / tAB; tAB: {TAB_METHOD}" if t_area else NOTHING
    else:
        for name, unit in (("tAB", "mm2"), ("dAB", "mm2"), ("FCL", "%")):
            yield name, None, unit, NO_BONE
    weights = joint.areas_mm2[covered]
    suffix = "" if joint.has_bone else f"; {inner.METHOD}"
    for values, method in ((joint.thickness_mm[covered], NORMAL), (joint.nearest_mm[covered], NEAREST)):
        there = c_area > 0
        named = method + suffix if there else NOTHING
        mean, sd = weighted_mean_sd(values, weights) if there else (None, None)
        yield "ThCcAB", mean, "mm", named
        yield "ThCcAB_sd", sd, "mm", named
        for percent in PERCENTILES:
            value = weighted_percentile(values, weights, percent) if there else None
            yield f"ThCcAB_p{percent:02d}", value, "mm", named
        if joint.has_bone:
            over = mean * c_area / t_area if mean is not None and t_area else None
            yield "ThCtAB", over, "mm", named
        else:
            yield "ThCtAB", None, "mm", NO_BONE


def weighted_mean_sd(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Returns mean and standard deviation over area."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def weighted_percentile(values: np.ndarray, weights: np.ndarray, percent: float) -> float:
    """Returns the value under which `percent` of the area lies."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(percent / 100 * weights.sum(), reached, values[order]))
