"""The surfaces of a knee that a report shows, cartilage coloured by its thickness where that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from kneecascade.biomarkers.picture import THICKEST_MM
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.report.surfaces import surface

Record = dict[str, Any]
SMALL_STRUCTURES = ("cartilage", "menisc")
BONE_OPACITY = 0.25


def case_meshes(
    classes_zyx: np.ndarray, spacing_mm: Float3, labels: Labels, thickness_zyx: np.ndarray | None
) -> list[Record]:
    """Returns the surfaces of all labels, ready for JSON; solid ones before see-through ones.

    Args:
        classes_zyx: class indices on the canonical grid.
        spacing_mm: (z, y, x).
        labels: their names.
        thickness_zyx: cartilage thickness in mm on this grid, 0 elsewhere; None where it was not measured.
    """
    meshes = []
    for index, name in enumerate(labels.names):
        mesh = surface(classes_zyx == index, spacing_mm, thickness_zyx) if index else None
        if mesh is None:
            continue
        solid = any(word in name.lower() for word in SMALL_STRUCTURES)
        if "values" in mesh:
            mesh |= {"value_name": "thickness, mm", "value_max": THICKEST_MM}
        meshes.append({"name": name, "opacity": 1.0 if solid else BONE_OPACITY, **mesh})
    # See-through surfaces must be drawn last, or they hide what they enclose.
    return sorted(meshes, key=lambda mesh: -mesh["opacity"])
