"""A procedural knee: labels on any grid, with its volumes and thicknesses known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Float3, Int3
from kneecascade.imaging.weights import apply_weights, image_weights
from kneecascade.phantom.bones import Bones, draw_build, make_bones, mirrored
from kneecascade.phantom.cartilage import (
    femoral_thickness,
    meniscus,
    patellar_thickness,
    tibial_thickness,
)

NAMES = (
    "background",
    "femur",
    "femoral_cartilage",
    "tibia",
    "tibial_cartilage",
    "patella",
    "patellar_cartilage",
    "menisci",
)
TRUTH_MM = 0.5
"""Volumes are counted on a grid this fine."""
SHELL_MM = 1.0
"""Thickness is averaged over bone this near to the surface."""


@dataclass(frozen=True, eq=False)
class Knee:
    """Fields of one knee over `extent_mm`, from which labels follow on any grid.

    Attributes:
        extent_mm: edge lengths (z, y, x).
        bones: distance fields.
        thickness_mm: of the femoral, tibial and patellar cartilage, over each point.
        meniscus: positive in the menisci.
        side: "left" or "right".
    """

    extent_mm: Float3
    bones: Bones
    thickness_mm: tuple[np.ndarray, np.ndarray, np.ndarray]
    meniscus: np.ndarray
    side: str


def make_knee(seed: tuple[int, ...], extent_mm: Float3, side: str) -> Knee:
    """Builds a knee; the same seed gives the same one, its left the mirror image of its right.

    Args:
        seed: of everything random about it.
        extent_mm: edge lengths (z, y, x) of the field of view.
        side: "left" or "right".
    """
    draw = np.random.default_rng(seed)
    build = draw_build(draw)
    bones = make_bones(build, extent_mm, draw)
    thickness = tuple(
        make(bones, build, draw) for make in (femoral_thickness, tibial_thickness, patellar_thickness)
    )
    rings = meniscus(bones, build)
    if side == "left":
        bones, rings = mirrored(bones), rings[:, :, ::-1]
        thickness = tuple(layer[:, :, ::-1] for layer in thickness)
    return Knee(extent_mm, bones, thickness, rings, side)  # type: ignore[arg-type]


def labels_on(knee: Knee, shape_zyx: Int3) -> np.ndarray:
    """Returns uint8 labels (Z, Y, X), positions in `NAMES`, on a grid over the knee's extent."""
    bones = [on_grid(f, shape_zyx) for f in (knee.bones.femur, knee.bones.tibia, knee.bones.patella)]
    layers = [
        on_grid(t, shape_zyx, linear=True) - bone for t, bone in zip(knee.thickness_mm, bones, strict=True)
    ]
    labels = np.where(on_grid(knee.meniscus, shape_zyx) > 0, 7, 0).astype(np.uint8)
    best = np.zeros(shape_zyx, dtype=np.float32)
    for k, layer in enumerate(layers):
        wins = layer > best
        labels[wins] = 2 * k + 2
        best[wins] = layer[wins]
    for k, bone in enumerate(bones):
        labels[bone < 0] = 2 * k + 1
    return labels


def truth(knee: Knee) -> dict[str, dict[str, float]]:
    """Returns the knee's exact answers.

    Returns:
        volume_mm3 of each label, counted on a 0.5 mm grid, and mean_thickness_mm of each cartilage:
        the layer function averaged over covered bone surface, before neighbours press on it.
    """
    z, y, x = (max(1, round(e / TRUTH_MM)) for e in knee.extent_mm)
    labels = labels_on(knee, (z, y, x))
    voxel_mm3 = math.prod(e / n for e, n in zip(knee.extent_mm, (z, y, x), strict=True))
    counts = np.bincount(labels.ravel(), minlength=len(NAMES))
    volumes = {name: float(count * voxel_mm3) for name, count in zip(NAMES[1:], counts[1:], strict=True)}
    bones = (knee.bones.femur, knee.bones.tibia, knee.bones.patella)
    means = {}
    for name, bone, layer in zip(NAMES[2:7:2], bones, knee.thickness_mm, strict=True):
        covered = layer[(np.abs(bone) < SHELL_MM) & (layer > 0)]
        means[name] = float(covered.mean()) if covered.size else 0.0
    return {"volume_mm3": volumes, "mean_thickness_mm": means}


def on_grid(field: np.ndarray, shape_zyx: Int3, linear: bool = False) -> np.ndarray:
    """Returns a field of the knee on a grid of the same extent."""
    weights = [image_weights(n_in, n_out) for n_in, n_out in zip(field.shape, shape_zyx, strict=True)]
    return apply_weights(field, weights)
