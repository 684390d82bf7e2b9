"""The numbers of a joint's shape: curvature of subchondral bone and of the cartilage's surface."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneecascade.biomarkers.curvature import METHOD, Curvature, curvature
from kneecascade.biomarkers.joint import Joint
from kneecascade.biomarkers.measures import weighted_mean_sd, weighted_percentile
from kneecascade.biomarkers.mesh import vertex_areas
from kneecascade.biomarkers.regions import Regions
from kneecascade.biomarkers.table import WHOLE, Row

FEWEST_VERTICES = 20
NO_PLACE = "no value: no part of it is far enough from the border"
MEASURES = (
    ("mean_per_mm", "curvature_mean", "1/mm"),
    ("gaussian_per_mm2", "curvature_gaussian", "1/mm2"),
    ("largest_per_mm", "curvature_largest", "1/mm"),
    ("smallest_per_mm", "curvature_smallest", "1/mm"),
    ("shape_index", "shape_index", ""),
)


def shape_of_joint(joint: Joint) -> tuple[Curvature, Curvature]:
    """Returns the curvature of the subchondral bone (over tAB) and of the cartilage's outer surface."""
    return curvature(joint.mesh, joint.total), curvature(joint.articular)


def rows_of_shape(
    case: str, joint: Joint, regions: Regions, shapes: tuple[Curvature, Curvature]
) -> Iterator[Row]:
    """Yields median, mean and standard deviation over area of each curvature.

    Subchondral bone by region, where the data set labels the bone; the articular surface as a whole.

    Args:
        case: name of the examination.
        joint: its surfaces.
        regions: bool (N,) by name, over the vertices of the joint's mesh.
        shapes: of `shape_of_joint`.
    """
    bone, articular = shapes
    if joint.has_bone:
        everywhere = np.ones(len(joint.total), dtype=bool)
        for region, part in ((WHOLE, everywhere), *regions.items()):
            yield from _rows(
                case, f"{joint.bone}_subchondral_bone", region, bone, joint.areas_mm2, part & joint.total
            )
    areas = vertex_areas(joint.articular)
    whole = np.ones(len(areas), dtype=bool)
    yield from _rows(case, f"{joint.cartilage}_surface", WHOLE, articular, areas, whole)


def _rows(
    case: str, structure: str, region: str, shape: Curvature, areas_mm2: np.ndarray, part: np.ndarray
) -> Iterator[Row]:
    known = part & np.isfinite(shape.mean_per_mm)
    enough = int(known.sum()) >= FEWEST_VERTICES and float(areas_mm2[known].sum()) > 0
    for attribute, measure, unit in MEASURES:
        values, weights = getattr(shape, attribute)[known], areas_mm2[known]
        median = weighted_percentile(values, weights, 50) if enough else None
        mean, sd = weighted_mean_sd(values, weights) if enough else (None, None)
        for suffix, value in (("median", median), ("average", mean), ("sd", sd)):
            yield Row(
                case, structure, region, f"{measure}_{suffix}", value, unit, METHOD if enough else NO_PLACE
            )
