"""All measures of one knee from its labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree

from kneecascade.biomarkers.curvature import Curvature
from kneecascade.biomarkers.field import Grid, grid_of
from kneecascade.biomarkers.frame import Frame, find_frame
from kneecascade.biomarkers.joint import Joint, make_joint
from kneecascade.biomarkers.measures import COUNTED, rows_of_joint, volume_rows
from kneecascade.biomarkers.ranges import out_of_range
from kneecascade.biomarkers.regions import Regions, femoral_regions, patellar_regions, tibial_regions
from kneecascade.biomarkers.shape import rows_of_shape, shape_of_joint
from kneecascade.biomarkers.structures import CARTILAGE_ON, PARTS, Structures
from kneecascade.biomarkers.table import WHOLE, Row
from kneecascade.biomarkers.turning import medial_to_lateral
from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.geometry import Geometry

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
        shapes: curvature of each joint's bone and of its cartilage's outer surface.
        thickness: float32 (Z, Y, X) on the grid of the file, mm in cartilage, 0 elsewhere.
    """

    rows: list[Row]
    flags: list[str]
    frame: Frame
    joints: dict[str, Joint]
    regions: dict[str, Regions]
    shapes: dict[str, tuple[Curvature, Curvature]]
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
    structures.check(labels.array, case)
    side, flags = _checked_side(side, labels.array, structures, labels)
    array, geometry, back = medial_to_lateral(labels, side)
    grid = grid_of(geometry)
    masks = {name: structures.mask(array, name) for name in CARTILAGE_ON if structures.has(name)}
    frame = find_frame(side, _places(masks.get("tibial_cartilage"), grid))
    knee = KneeMeasures([], flags, frame, {}, {}, {}, np.zeros(array.shape, dtype=np.float32))
    for cartilage, mask in masks.items():
        bone = CARTILAGE_ON[cartilage]
        solid = structures.mask(array, bone) if structures.has(bone) else None
        if not mask.any():
            flags.append(f"{cartilage}: not a voxel of it")
        joint = make_joint(bone, cartilage, solid, mask, geometry, frame)
        if joint is not None:
            _measure_joint(case, knee, joint, mask, geometry)
    for name in sorted(set(structures.values) - set(CARTILAGE_ON) - set(PARTS)):
        voxels = int(structures.mask(array, name).sum())
        knee.rows.extend(volume_rows(case, name, {WHOLE: voxels}, geometry.voxel_mm3))
    knee.rows.sort(key=lambda row: row.structure)
    flags += out_of_range(knee.rows)
    return replace(knee, thickness=back(knee.thickness))


def _measure_joint(case: str, knee: KneeMeasures, joint: Joint, mask: np.ndarray, geometry: Geometry) -> None:
    """Adds a joint with its numbers to a knee; its thickness goes into the knee's image."""
    parts, shape = _regions(joint, knee.frame), shape_of_joint(joint)
    knee.joints[joint.bone], knee.regions[joint.bone], knee.shapes[joint.bone] = joint, parts, shape
    knee.rows.extend(rows_of_joint(case, joint, parts))
    knee.rows.extend(rows_of_shape(case, joint, parts, shape))
    for region, count in _fill(knee.thickness, mask, joint, parts, grid_of(geometry)).items():
        how = COUNTED if region == WHOLE else BY_NEAREST
        knee.rows.extend(volume_rows(case, joint.cartilage, {region: count}, geometry.voxel_mm3, how))


def _places(mask: np.ndarray | None, grid: Grid) -> np.ndarray | None:
    """Returns the LPS points of a mask's voxels; None for no mask or an empty one."""
    return grid.to_mm(np.argwhere(mask).astype(float)) if mask is not None and mask.any() else None


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


def _fill(
    thickness: np.ndarray, mask: np.ndarray, joint: Joint, parts: Regions, grid: Grid
) -> dict[str, int]:
    """Writes each cartilage voxel's thickness, that over the nearest bone; returns voxels by region."""
    voxels = np.argwhere(mask)
    covered = np.flatnonzero(joint.covered)
    counts = {WHOLE: len(voxels)}
    if not len(voxels) or not covered.size:
        return counts
    _, nearest = cKDTree(joint.mesh.vertices_mm[covered]).query(grid.to_mm(voxels.astype(float)))
    vertex = covered[nearest]
    thickness[tuple(voxels.T)] = joint.thickness_mm[vertex]
    return counts | {name: int(part[vertex].sum()) for name, part in parts.items()}
