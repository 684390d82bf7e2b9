"""Triangle surfaces in the patient's space: made from fields, measured, cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from skimage import measure

from kneecascade.biomarkers.field import Field

LEVEL = 0.5
"""Half a smoothed mask: where a flat border between voxels lies."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle surface.

    Attributes:
        vertices_mm: (N, 3), LPS.
        faces: (M, 3) vertex numbers, counterclockwise seen from outside.
    """

    vertices_mm: np.ndarray
    faces: np.ndarray


def extract(field: Field) -> Mesh:
    """Returns the surface where the field crosses one half; empty where it never does.

    The surface is open where the object is cut by the edge of the field.
    """
    array = field.array
    if not array.size or min(array.shape) < 2 or not array.min() < LEVEL < array.max():
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))
    points, faces, _, _ = measure.marching_cubes(array, LEVEL, gradient_direction="descent")
    # scikit-image's "descent" is outward for (z, y, x) read as a left-handed space
    faces = faces if np.linalg.det(field.grid.matrix) < 0 else faces[:, ::-1]
    return Mesh(field.grid.to_mm(points.astype(float)), faces.astype(np.int64))


def face_areas(mesh: Mesh) -> np.ndarray:
    """Returns the area of each face (M,) in mm2."""
    return np.asarray(np.linalg.norm(_face_vectors(mesh), axis=1) / 2)


def vertex_areas(mesh: Mesh) -> np.ndarray:
    """Returns a third of the area of the faces around each vertex (N,) in mm2; they add up to the whole."""
    areas = np.repeat(face_areas(mesh) / 3, 3)
    return np.bincount(mesh.faces.ravel(), weights=areas, minlength=len(mesh.vertices_mm))


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """Returns outward unit normals (N, 3), faces weighted with area; 0 at vertices without a face."""
    vectors = np.repeat(_face_vectors(mesh), 3, axis=0)
    count = len(mesh.vertices_mm)
    columns = [np.bincount(mesh.faces.ravel(), weights=v, minlength=count) for v in vectors.T]
    return unit(np.stack(columns, axis=1))


def enclosed_mm3(mesh: Mesh) -> float:
    """Returns the volume inside a closed surface."""
    if not len(mesh.faces):
        return 0.0
    a, b, c = (mesh.vertices_mm[mesh.faces[:, k]] - mesh.vertices_mm.mean(axis=0) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def cut(mesh: Mesh, keep: np.ndarray) -> tuple[Mesh, np.ndarray]:
    """Returns the faces whose three vertices are kept, and the old number of each new vertex."""
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    used = np.unique(faces)
    new = np.full(len(mesh.vertices_mm), -1, dtype=np.int64)
    new[used] = np.arange(used.size)
    return Mesh(mesh.vertices_mm[used], new[faces]), used


def neighbours(mesh: Mesh) -> sparse.csr_matrix:
    """Returns the symmetric (N, N) matrix of which vertices share an edge."""
    a, b = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]).T
    count = len(mesh.vertices_mm)
    ones = np.ones(a.size, dtype=np.int8)
    joined = sparse.coo_matrix((ones, (a, b)), shape=(count, count)).tocsr()
    return ((joined + joined.T) > 0).tocsr()


def border(mesh: Mesh) -> np.ndarray:
    """Returns bool (N,): vertices on an edge that only one face has."""
    edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    key = edges[:, 0] * np.int64(len(mesh.vertices_mm)) + edges[:, 1]
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    found = np.zeros(len(mesh.vertices_mm), dtype=bool)
    found[edges[first[counts == 1]].ravel()] = True
    return found


def unit(vectors: np.ndarray) -> np.ndarray:
    """Returns the vectors (N, 3) at length one; 0 stays 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))


def _face_vectors(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices_mm[mesh.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)
