"""All measures of one knee from its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from kneecascade.biomarkers.field import grid_of
from kneecascade.biomarkers.frame import Frame, Side, find_frame
from kneecascade.biomarkers.joint import Joint, make_joint
from kneecascade.biomarkers.measures import COUNTED, rows_of_joint, volume_rows
from kneecascade.biomarkers.ranges import out_of_range
from kneecascade.biomarkers.regions import Regions, femoral_regions, patellar_regions, tibial_regions
from kneecascade.biomarkers.structures import CARTILAGE_ON, PARTS, Structures
from kneecascade.biomarkers.table import WHOLE, Row
from kneecascade.core.case import LabelVolume

REGIONS_OF = {
    "tibia": lambda points, areas, sided: tibial_regions(points, areas, sided),
    "femur": lambda points, areas, sided: femoral_regions(points, sided),
    "patella": lambda points, areas, sided: patellar_regions(points, sided),
}
BY_NEAREST = "voxels counted, each in the region of the nearest bone surface"


@dataclass(frozen=True, eq=False)
class KneeMeasures:
    """Everything measured of one knee.

    Attributes:
        rows: the numbers.
        flags: reasons for doubt, one line each.
        frame: the knee's directions and side.
        joints: bones with cartilage, by bone.
        regions: of each joint, over the vertices of its bone's surface.
        thickness: float32 (Z, Y, X) on the grid of the file, mm in cartilage, 0 elsewhere.
    """

    rows: list[Row]
    flags: list[str]
    frame: Frame
    joints: Mapping[str, Joint]
    regions: Mapping[str, Regions]
    thickness: np.ndarray = field(repr=False)


def measure_knee(case: str, labels: LabelVolume, structures: Structures, side: Side) -> KneeMeasures:
    """Measures one knee.

    Args:
        case: its name, for rows and messages.
        labels: file values on the file's grid.
        structures: what the values stand for.
        side: of the body; "unknown" leaves medial and lateral out, unless labels name them.

    Raises:
        ImageError: the labels hold a value without a name.
    """
    array, grid = labels.array, grid_of(labels.geometry)
    structures.check(array, case)
    masks = {name: structures.mask(array, name) for name in CARTILAGE_ON if structures.has(name)}
    side, flags = _checked_side(side, array, structures, labels)
    tibial = masks.get("tibial_cartilage")
    points = grid.to_mm(np.argwhere(tibial).astype(float)) if tibial is not None and tibial.any() else None
    frame = find_frame(side, points)
    rows: list[Row] = []
    joints: dict[str, Joint] = {}
    regions: dict[str, Regions] = {}
    thickness = np.zeros(array.shape, dtype=np.float32)
    for cartilage, mask in masks.items():
        bone = CARTILAGE_ON[cartilage]
        solid = structures.mask(array, bone) if structures.has(bone) else None
        if not mask.any():
            flags.append(f"{cartilage}: not a voxel of it")
        joint = make_joint(bone, cartilage, solid, mask, labels.geometry, frame)
        if joint is None:
            continue
        parts = _regions(joint, frame)
        joints[bone], regions[bone] = joint, parts
        rows += rows_of_joint(case, joint, parts)
        counts = _fill(thickness, mask, joint, parts, grid.to_mm)
        method = {WHOLE: COUNTED}
        for region, count in counts.items():
            how = method.get(region, BY_NEAREST)
            rows += volume_rows(case, cartilage, {region: count}, labels.geometry.voxel_mm3, how)
    for name in sorted(set(structures.values) - set(CARTILAGE_ON) - set(PARTS)):
        voxels = int(structures.mask(array, name).sum())
        rows += volume_rows(case, name, {WHOLE: voxels}, labels.geometry.voxel_mm3)
    rows.sort(key=lambda row: row.structure)
    return KneeMeasures(rows, flags + out_of_range(rows), frame, joints, regions, thickness)


def _checked_side(
    side: Side, array: np.ndarray, structures: Structures, labels: LabelVolume
) -> tuple[Side, list[str]]:
    """Returns the side, from the labels where it was not given, and what is doubtful about it."""
    seen = _side_in_labels(array, structures, labels)
    if side == "unknown" and seen == "unknown":
        return "unknown", ["side unknown: medial and lateral measures are left out; see --side"]
    if "unknown" not in (side, seen) and side != seen:
        return "unknown", [
            f"side given as {side}, but by its labels it is a {seen} knee: medial and lateral left out"
        ]
    return (seen if side == "unknown" else side), []


def _side_in_labels(array: np.ndarray, structures: Structures, labels: LabelVolume) -> Side:
    """Tells the side by where the medial and the lateral tibial cartilage lie, if both have a label."""
    middles = []
    for name in PARTS:
        voxels = np.argwhere(structures.mask(array, name)) if name in structures.values else np.zeros((0, 3))
        if not len(voxels):
            return "unknown"
        middles.append(grid_of(labels.geometry).to_mm(voxels.mean(axis=0)[None])[0])
    medial, lateral = middles
    # LPS x runs to the patient's left, where the lateral side of a left knee is
    return "left" if lateral[0] > medial[0] else "right"


def _regions(joint: Joint, frame: Frame) -> Regions:
    """Returns the joint's regions over all vertices of its mesh, False outside the joint surface."""
    inside = np.flatnonzero(joint.total)
    points = frame.coordinates(joint.mesh.vertices_mm[inside])
    parts = REGIONS_OF[joint.bone](points, joint.areas_mm2[inside], frame.side != "unknown")
    found = {}
    for name, part in parts.items():
        found[name] = np.zeros(len(joint.total), dtype=bool)
        found[name][inside[part]] = True
    return found


def _fill(thickness: np.ndarray, mask: np.ndarray, joint: Joint, parts: Regions, to_mm) -> dict[str, int]:  # type: ignore[no-untyped-def]
    """Writes each cartilage voxel's thickness, that over the nearest bone; returns voxels by region."""
    voxels = np.argwhere(mask)
    covered = np.flatnonzero(joint.covered)
    counts = {WHOLE: len(voxels)}
    if not len(voxels) or not covered.size:
        return counts
    _, nearest = cKDTree(joint.mesh.vertices_mm[covered]).query(to_mm(voxels.astype(float)))
    vertex = covered[nearest]
    thickness[tuple(voxels.T)] = joint.thickness_mm[vertex]
    return counts | {name: int(part[vertex].sum()) for name, part in parts.items()}
