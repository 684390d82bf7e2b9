"""One bone with its cartilage: surfaces, footprint, thickness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.biomarkers.field import (
    Field,
    Grid,
    grid_of,
    pool_factors,
    pooled,
    smoothed,
    smoothing_mm,
    working_grid,
)
from kneecascade.biomarkers.footprint import COVERED, closed_footprint, with_gaps_filled
from kneecascade.biomarkers.frame import Frame
from kneecascade.biomarkers.inner import DEPTH_MM, shadow
from kneecascade.biomarkers.mesh import Mesh, cut, extract, unit, vertex_areas
from kneecascade.biomarkers.thickness import along_normals, to_nearest
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.components import bounding_box, dilate_box, margin_voxels

NORMAL_MM = 1.5
"""Directions are taken from the bone smoothed by this much more: a voxel's steps must not tilt them."""
RIM = 0.02
"""Keeps the closed cartilage surface apart from bare bone; moves its inner side by about .02 mm."""


@dataclass(frozen=True, eq=False)
class Joint:
    """A bone's surface and what lies on it; arrays have one entry a vertex of `mesh`.

    Attributes:
        bone: name of the bone.
        cartilage: name of its cartilage.
        has_bone: whether the bone has a label; else `mesh` is the surface of a stand-in.
        mesh: the bone's surface.
        areas_mm2: area around each vertex.
        normals: (N, 3), away from the bone.
        covered: where cartilage lies (cAB).
        total: where it should lie (tAB); the same as `covered` without a bone label.
        thickness_mm: along the normal, 0 where not covered.
        nearest_mm: to the nearest point of the outer surface, 0 where not covered.
        articular: the cartilage's outer surface.
        closed: inner and outer surface of the cartilage, closed at the rim.
    """

    bone: str
    cartilage: str
    has_bone: bool
    mesh: Mesh
    areas_mm2: np.ndarray
    normals: np.ndarray
    covered: np.ndarray
    total: np.ndarray
    thickness_mm: np.ndarray
    nearest_mm: np.ndarray
    articular: Mesh
    closed: Mesh


@dataclass(frozen=True, eq=False)
class _Fields:
    """Smoothed masks of one joint, on one grid: bone, cartilage, both, and the wider-smoothed bone."""

    bone: Field
    cartilage: Field
    both: Field
    wide: Field


def make_joint(
    bone: str,
    cartilage: str,
    bone_mask: np.ndarray | None,
    mask: np.ndarray,
    geometry: Geometry,
    frame: Frame,
) -> Joint | None:
    """Builds a joint from masks on the file's grid.

    Bone, and bone with cartilage, are smoothed apart: both are thick, so that smoothing does not thin
    the layer between their surfaces as it would thin the cartilage by itself.

    Args:
        bone: name of the bone.
        cartilage: name of the cartilage.
        bone_mask: bool (Z, Y, X), or None where the data set has no such label.
        mask: bool (Z, Y, X) of the cartilage.
        geometry: of the file.
        frame: the knee's directions; used where there is no bone label.

    Returns:
        None where neither bone nor cartilage has a voxel.
    """
    fields = _fields(bone, bone_mask, mask, geometry, frame)
    if fields is None:
        return None
    has_bone = bone_mask is not None and bool(bone_mask.any())
    return _measured(bone, cartilage, has_bone, fields)


def _measured(bone: str, cartilage: str, has_bone: bool, fields: _Fields) -> Joint:
    surface, outside = extract(fields.bone), extract(fields.both)
    normals = -unit(fields.wide.gradient_at(surface.vertices_mm))
    covered = fields.cartilage.at(surface.vertices_mm) >= COVERED
    vertices = outside.vertices_mm
    articular, _ = cut(outside, fields.cartilage.at(vertices) >= fields.bone.at(vertices))
    thickness, nearest = (np.zeros(len(covered)) for _ in range(2))
    thickness[covered] = along_normals(surface.vertices_mm[covered], normals[covered], fields.both)
    nearest[covered] = to_nearest(surface.vertices_mm[covered], articular)
    layer = np.minimum(fields.both.array, 1 - RIM - fields.bone.array)
    return Joint(
        bone=bone,
        cartilage=cartilage,
        has_bone=has_bone,
        mesh=surface,
        areas_mm2=vertex_areas(surface),
        normals=normals,
        covered=covered,
        total=closed_footprint(surface, covered) if has_bone else covered,
        thickness_mm=thickness,
        nearest_mm=nearest,
        articular=articular,
        closed=extract(Field(layer, fields.both.grid)),
    )


def _fields(
    bone: str, bone_mask: np.ndarray | None, mask: np.ndarray, geometry: Geometry, frame: Frame
) -> _Fields | None:
    everything = mask if bone_mask is None else mask | bone_mask
    box = bounding_box(everything)
    if box is None:
        return None
    margin = margin_voxels(DEPTH_MM + 2, geometry.spacing_mm)
    box = dilate_box(box, margin, geometry.shape_zyx)
    whole, part = grid_of(geometry), mask[box.slices]
    if bone_mask is None:
        local = Grid(whole.spacing_mm, whole.to_mm(np.array([box.start_zyx]))[0], whole.direction_xyz)
        solid = shadow(part, local, bone, frame)
    else:
        solid = bone_mask[box.slices]
    part = with_gaps_filled(solid, part)
    factors = pool_factors(geometry.spacing_mm)
    grid, sigma = working_grid(whole, box, factors), smoothing_mm(geometry.spacing_mm)
    inner, layer = (smoothed(pooled(array, factors), grid, sigma) for array in (solid, part))
    both = Field(np.minimum(inner.array + layer.array, 1.0), grid)
    return _Fields(inner, layer, both, smoothed(inner.array, grid, NORMAL_MM))
