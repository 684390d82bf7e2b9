"""Joint surfaces laid flat: the femur unrolled, the tibia from above, the patella from behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.biomarkers.frame import Frame
from kneecascade.biomarkers.inner import fit_circle
from kneecascade.biomarkers.joint import Joint


@dataclass(frozen=True, eq=False)
class FlatMap:
    """A joint surface in two dimensions.

    Attributes:
        across_mm: (N,) one entry a vertex of the surface, towards the lateral side (the
            patient's left where the side is unknown).
        along_mm: (N,) from top to bottom of the picture.
        faces: (M, 3) faces to draw, vertex numbers of the surface.
        along_name: what `along_mm` is.
        ends: words at the top and at the bottom.
    """

    across_mm: np.ndarray
    along_mm: np.ndarray
    faces: np.ndarray
    along_name: str
    ends: tuple[str, str]


def flatten(joint: Joint, frame: Frame, articular: bool = False) -> FlatMap:
    """Lays a joint's surface flat: the bone's (tAB), or the cartilage's articular one.

    The femur is unrolled about the axis of the circle fitted to its surface in the sagittal plane:
    the arc at the circle's radius, from the top in front, under the condyles, to the top behind.

    Args:
        joint: its surfaces.
        frame: the knee's directions.
        articular: whether to lay the articular surface; entries are then of that surface's vertices.
    """
    mesh = joint.articular if articular else joint.mesh
    faces = mesh.faces if articular else mesh.faces[joint.total[mesh.faces].all(axis=1)]
    points = frame.coordinates(mesh.vertices_mm)
    across = points[:, 0]
    if not faces.size:
        return FlatMap(across, points[:, 2], faces, "mm", ("", ""))
    used = np.unique(faces)
    across = across - (across[used].min() + across[used].max()) / 2
    if joint.bone == "tibia":
        back = points[:, 1] - (points[used, 1].min() + points[used, 1].max()) / 2
        return FlatMap(across, back, faces, "front to back, mm", ("anterior", "posterior"))
    if joint.bone == "patella":
        down = (points[used, 2].min() + points[used, 2].max()) / 2 - points[:, 2]
        return FlatMap(across, down, faces, "top to bottom, mm", ("superior", "inferior"))
    centre, radius = fit_circle(points[used, 1:])
    back, up = (points[:, 1:] - centre).T
    angle = np.arctan2(back, up) % (2 * np.pi)
    # from straight up over the front: 0 up, a quarter in front, half below
    arc = ((2 * np.pi - angle) % (2 * np.pi)) * radius
    arc = arc - np.pi * radius
    whole = np.ptp(arc[faces], axis=1) < np.pi * radius
    name = f"arc about the condyles' axis at {radius:.0f} mm, mm"
    return FlatMap(across, arc, faces[whole], name, ("anterior", "posterior"))
