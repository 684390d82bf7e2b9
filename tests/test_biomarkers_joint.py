from __future__ import annotations

import math

import numpy as np
import pytest
from solid_joints import SPACINGS, Depth, box_geometry, cylinder, layered, plane, points_of, sphere, turned

from kneecascade.biomarkers.field import Field, grid_of
from kneecascade.biomarkers.frame import find_frame
from kneecascade.biomarkers.joint import Joint, make_joint
from kneecascade.biomarkers.mesh import Mesh, enclosed_mm3
from kneecascade.biomarkers.thickness import along_normals, to_nearest
from kneecascade.core.geometry import Float3

TILTED = np.array([0.3, 0.5, 0.8])
SOLIDS = {
    "sphere": (sphere(16.0), 2.2, 46.0),
    "cylinder": (cylinder(15.0, TILTED), 1.8, 44.0),
    "plane": (plane(TILTED), 1.5, 36.0),
}


def joint_of(
    depth: Depth, thickness: float, extent: float, spacing: Float3, seed: int
) -> tuple[Joint, float]:
    """Returns the joint and the voxels' volume of the layer."""
    geometry = box_geometry(spacing, extent, turned(seed))
    labels = layered(depth, thickness, geometry)
    joint = make_joint(
        "femur",
        "femoral_cartilage",
        labels.array == 1,
        labels.array == 2,
        geometry,
        find_frame("right", None),
    )
    assert joint is not None
    return joint, float((labels.array == 2).sum() * geometry.voxel_mm3)


def inner(joint: Joint, extent: float) -> np.ndarray:
    """Returns which covered vertices are clear of the image's faces."""
    return joint.covered & (np.abs(joint.mesh.vertices_mm).max(axis=1) < extent / 2 - 6)


@pytest.mark.parametrize("solid", SOLIDS)
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", [0, 11])
def test_thickness_of_known_layers(solid: str, spacing: Float3, seed: int) -> None:
    depth, thickness, extent = SOLIDS[solid]
    # a right angle to the grid is the voxels' own doing; turned a little, they average out
    joint, _ = joint_of(depth, thickness, extent, spacing, seed)
    seen = inner(joint, extent) if solid != "sphere" else joint.covered
    allowed = max(0.02 * thickness, 0.1 * max(spacing))
    weights = joint.areas_mm2[seen]
    assert seen.sum() > 500
    for found in (joint.thickness_mm, joint.nearest_mm):
        assert abs(np.average(found[seen], weights=weights) - thickness) < allowed
    assert np.average(joint.thickness_mm[seen], weights=weights) == pytest.approx(thickness, rel=0.02)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_volume_and_areas_of_a_shell(spacing: Float3) -> None:
    joint, volume = joint_of(*SOLIDS["sphere"], spacing, 7)
    exact = 4 / 3 * math.pi * (18.2**3 - 16**3)
    assert volume == pytest.approx(exact, rel=0.01)
    assert joint.covered.all()
    assert joint.areas_mm2.sum() == pytest.approx(4 * math.pi * 16**2, rel=0.015)
    # two closed spheres, the inner one inside out
    assert enclosed_mm3(joint.closed) == pytest.approx(exact, rel=0.03)


def capped(radius: float, thickness: float, height: float) -> Depth:
    """Returns bone with a cap of cartilage above `height`; elsewhere the layer is out of reach."""
    ball = sphere(radius)

    def depth(points: np.ndarray) -> np.ndarray:
        over = ball(points)
        outside = points[:, 2] < height * np.linalg.norm(points, axis=1) / radius
        return np.where((over >= 0) & outside, thickness + 1, over)

    return depth


@pytest.mark.parametrize("thickness", [0.8, 2.0])
def test_covered_area_ends_where_the_cartilage_ends(thickness: float) -> None:
    radius, height = 16.0, 6.0
    joint, _ = joint_of(capped(radius, thickness, height), thickness, 44, (0.365, 0.365, 0.7), 5)
    cap = 2 * math.pi * radius * (radius - height)
    assert joint.areas_mm2[joint.covered].sum() == pytest.approx(cap, rel=0.02)
    assert joint.areas_mm2[joint.total].sum() == pytest.approx(cap, rel=0.03)
    mean = np.average(joint.thickness_mm[joint.covered], weights=joint.areas_mm2[joint.covered])
    assert mean == pytest.approx(thickness, rel=0.04)
    assert (joint.thickness_mm[~joint.covered] == 0).all()


def test_thin_cartilage_does_not_shrink() -> None:
    joint, _ = joint_of(sphere(16.0), 0.6, 40, (0.365, 0.365, 0.7), 3)
    assert joint.areas_mm2[joint.covered].sum() == pytest.approx(4 * math.pi * 16**2, rel=0.03)
    assert np.average(joint.thickness_mm, weights=joint.areas_mm2) == pytest.approx(0.6, abs=0.05)


def test_a_joint_without_bone_label_measures_the_same() -> None:
    geometry = box_geometry((0.365, 0.365, 0.7), 40, turned(2))
    plateau = capped(40.0, 2.0, 37.0)
    labels = layered(lambda points: plateau(points + np.array([0, 0, 38])), 2.0, geometry)
    frame = find_frame("right", None)
    joint = make_joint("tibia", "tibial_cartilage", None, labels.array == 2, geometry, frame)
    assert joint is not None
    assert not joint.has_bone
    weights = joint.areas_mm2[joint.covered]
    assert weights.sum() == pytest.approx(2 * math.pi * 40 * 3, rel=0.06)
    assert np.average(joint.thickness_mm[joint.covered], weights=weights) == pytest.approx(2.0, rel=0.07)


def test_an_empty_joint_is_none() -> None:
    geometry = box_geometry((1.0, 1.0, 1.0), 8, turned(0))
    empty = np.zeros(geometry.shape_zyx, dtype=bool)
    assert make_joint("femur", "femoral_cartilage", empty, empty, geometry, find_frame("left", None)) is None
    bare = empty.copy()
    bare[2:6, 2:6, 2:6] = True
    joint = make_joint("femur", "femoral_cartilage", bare, empty, geometry, find_frame("left", None))
    assert joint is not None
    assert not joint.covered.any()
    assert not joint.total.any()


def test_rays_end_at_the_cap() -> None:
    joint, _ = joint_of(plane(np.array([0.0, 0, 1])), 30, 24, (1.0, 1.0, 1.0), 0)
    assert joint.thickness_mm[joint.covered].max() == 10


def test_points_outside_have_no_thickness() -> None:
    geometry = box_geometry((1.0, 1.0, 1.0), 12, turned(0))
    slab = Field(
        (points_of(geometry)[:, 2] < 0).reshape(geometry.shape_zyx).astype(np.float32), grid_of(geometry)
    )
    points, up = np.array([[0.0, 0, -3], [0, 0, 3]]), np.array([[0.0, 0, 1]] * 2)
    assert along_normals(points, up, slab).tolist() == pytest.approx([3.0, 0.0], abs=0.6)


def test_no_surface_is_nearest_to_nothing() -> None:
    assert np.isnan(to_nearest(np.zeros((2, 3)), Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)))).all()
