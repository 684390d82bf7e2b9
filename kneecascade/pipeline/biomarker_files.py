"""The folder of one measured case: table, thickness image, surfaces, maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kneecascade.biomarkers.curvature import Curvature
from kneecascade.biomarkers.knee import KneeMeasures
from kneecascade.biomarkers.picture import curvature_map, thickness_map
from kneecascade.biomarkers.table import write_rows
from kneecascade.biomarkers.vtp import write_vtp
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.files import write_channel

TABLE = "biomarkers.csv"
THICKNESS = "thickness.nii.gz"


def write_knee(
    folder: Path, name: str, knee: KneeMeasures, geometry: Geometry, meshes: bool, pictures: bool
) -> None:
    """Writes everything measured of one knee.

    Args:
        folder: of the case.
        name: of the case.
        knee: its measures.
        geometry: of the label file; the thickness image gets it.
        meshes: whether to write surfaces.
        pictures: whether to draw maps.
    """
    write_channel(knee.thickness, geometry, folder / THICKNESS)
    if meshes:
        _write_meshes(folder, knee)
    if pictures:
        for bone, joint in knee.joints.items():
            regions, (shape, articular) = knee.regions[bone], knee.shapes[bone]
            thickness_map(folder / f"map_{bone}.png", name, joint, knee.frame, regions)
            curved = folder / f"map_{bone}_curvature.png"
            curvature_map(curved, name, joint, knee.frame, regions, shape)
            curved = folder / f"map_{joint.cartilage}_curvature.png"
            curvature_map(curved, name, joint, knee.frame, regions, articular, articular=True)
    write_rows(folder / TABLE, knee.rows)


def _write_meshes(folder: Path, knee: KneeMeasures) -> None:
    for bone, joint in knee.joints.items():
        covered = joint.covered
        scalars = {
            "thickness_mm": np.where(covered, joint.thickness_mm, np.nan),
            "nearest_mm": np.where(covered, joint.nearest_mm, np.nan),
            "covered": covered,
            "joint_surface": joint.total,
        }
        shape, articular = knee.shapes[bone]
        scalars |= _shape(shape)
        write_vtp(folder / f"{bone if joint.has_bone else bone + '_side'}.vtp", joint.mesh, scalars)
        write_vtp(folder / f"{joint.cartilage}.vtp", joint.closed, {})
        write_vtp(folder / f"{joint.cartilage}_surface.vtp", joint.articular, _shape(articular))


def _shape(curvature: Curvature) -> dict[str, np.ndarray]:
    return {
        "curvature_mean_per_mm": curvature.mean_per_mm,
        "curvature_gaussian_per_mm2": curvature.gaussian_per_mm2,
        "shape_index": curvature.shape_index,
    }
