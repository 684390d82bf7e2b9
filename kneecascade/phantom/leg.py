"""A leg to train on: labels and tissues of one procedural knee, bent, turned and cut as scans are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import ndimage

from kneecascade.core.geometry import Float3, Int3
from kneecascade.imaging.weights import apply_weights, image_weights
from kneecascade.phantom import tissue as t
from kneecascade.phantom.leg_bones import LegBones, make_leg_bones
from kneecascade.phantom.leg_cartilage import draw_thickness, layers, menisci
from kneecascade.phantom.leg_flesh import Flesh, make_flesh
from kneecascade.phantom.leg_pose import Pose, draw_pose, model_box, sources

FIELD_MM, MODEL_MM = 1.5, 0.8
"""Fields are smooth: they are computed on the coarse grid and brought to the finer one."""
TISSUE_STEP = 16
"""Label times this plus tissue, while both are bent together."""


Upwards = Callable[[np.ndarray], np.ndarray]
"""Brings a field to the model's grid."""


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg on a canonical grid.

    Attributes:
        labels: uint8 (Z, Y, X), positions in `anatomy.NAMES`.
        tissues: uint8 (Z, Y, X), the constants of `tissue`.
        spacing_mm: (z, y, x).
    """

    labels: np.ndarray
    tissues: np.ndarray
    spacing_mm: Float3


def make_leg(seed: tuple[int, ...], spacing_mm: Float3, side: str) -> Leg:
    """Makes a leg; the same seed makes the same one, its left the mirror image of its right.

    Args:
        seed: of everything random, the field of view included.
        spacing_mm: (z, y, x) of the result.
        side: "left" or "right".
    """
    draw = np.random.default_rng(seed)
    pose = draw_pose(draw)
    both, start, step = _model(pose, draw)
    places = sources(pose, spacing_mm, start, step, draw)
    found = ndimage.map_coordinates(both, places, order=0, mode="nearest")
    # the canonical x axis runs to the left of the body: lateral comes first in a right knee
    found = np.ascontiguousarray(found[:, :, ::-1] if side == "right" else found)
    return Leg(found // TISSUE_STEP, found % TISSUE_STEP, spacing_mm)


def _model(pose: Pose, draw: np.random.Generator) -> tuple[np.ndarray, Float3, Float3]:
    """Returns label and tissue in one map, the place of its first voxel, its spacing."""
    low, high = model_box(pose)
    extent = [b - a for a, b in zip(low, high, strict=True)]
    few = [max(8, round(e / FIELD_MM)) for e in extent]
    shape: Int3 = tuple(max(8, round(e / MODEL_MM)) for e in extent)  # type: ignore[assignment]
    spacing = tuple(e / n for e, n in zip(extent, few, strict=True))
    axes = [
        (np.float32(a) + (np.arange(n, dtype=np.float32) + 0.5) * np.float32(mm))
        for a, n, mm in zip(low, few, spacing, strict=True)
    ]
    points = (axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :])
    full = draw_thickness(draw)
    bones = make_leg_bones(points, spacing, full, draw)  # type: ignore[arg-type]
    covers = layers(bones, full, draw)
    rings, flesh = menisci(bones, draw), make_flesh(bones, draw)
    up = partial(_upwards, shape_zyx=shape)
    heights = np.linspace(low[0], high[0], shape[0])
    labels, tissues = _composed(bones, covers, rings, flesh, heights, up, draw)
    step = tuple(e / n for e, n in zip(extent, shape, strict=True))
    start = tuple(a + mm / 2 for a, mm in zip(low, step, strict=True))
    return labels * TISSUE_STEP + tissues, start, step  # type: ignore[return-value]


def _upwards(field: np.ndarray, shape_zyx: Int3) -> np.ndarray:
    return apply_weights(field, [image_weights(a, b) for a, b in zip(field.shape, shape_zyx, strict=True)])


def _composed(
    bones: LegBones,
    covers: tuple[np.ndarray, ...],
    rings: np.ndarray,
    flesh: Flesh,
    heights_mm: np.ndarray,
    up: Upwards,
    draw: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels and tissues of the model; what comes later covers what came before."""
    tissues = _soft(flesh, bones, up, draw)
    labels = np.zeros(tissues.shape, np.uint8)
    hard = [up(f) for f in (bones.femur, bones.tibia, bones.patella)]
    ring = up(rings) > 0
    labels[ring], tissues[ring] = 7, t.MENISCUS
    best = np.zeros(tissues.shape, np.float32)
    for k, (cover, bone) in enumerate(zip(covers, hard, strict=True)):
        layer = up(cover) - bone
        wins = layer > best
        labels[wins], tissues[wins] = 2 * k + 2, t.CARTILAGE
        best[wins] = layer[wins]
    # the cortex of shafts is thick, that of joint ends thin
    far = np.clip((np.abs(heights_mm) - 35) / 50, 0, 1).astype(np.float32)[:, None, None]
    cortex_mm = draw.uniform(0.5, 1.0) + draw.uniform(2.0, 4.5) * far
    bruised = _bruises(flesh, up, draw)
    for k, bone in enumerate([*hard, up(bones.fibula)]):
        inside = bone < 0
        labels[inside] = 2 * k + 1 if k < 3 else 0
        tissues[inside] = t.MARROW
        if bruised is not None:
            tissues[inside & bruised & (bone > -12)] = t.LESION
        tissues[inside & (bone > -cortex_mm)] = t.CORTEX
    return labels, tissues


def _soft(flesh: Flesh, bones: LegBones, up: Upwards, draw: np.random.Generator) -> np.ndarray:
    """Returns every tissue but bone, cartilage and menisci."""
    fine, wide = up(flesh.fine), up(flesh.wide)
    tissues = np.full(fine.shape, t.FAT, np.uint8)
    muscle = (up(flesh.muscle) < 0) & (up(flesh.septum) > 1.5)
    tissues[muscle] = t.MUSCLE
    tissues[muscle & (up(flesh.fatty) > 0.5)] = t.FATTY
    joint = up(np.minimum(np.minimum(bones.femur, bones.tibia), bones.patella))
    near = (joint < draw.uniform(2.0, 5.0)) & ~muscle
    tissues[near & (fine > draw.uniform(0.0, 0.8))] = t.SYNOVIUM
    tissues[(np.abs(fine) < 0.08) & (np.abs(wide) < 0.25)] = t.VESSEL
    tissues[(np.abs(fine - 0.6) < 0.10) & (tissues == t.FAT)] = t.FIBROUS
    tissues[up(flesh.fluid) < 0] = t.FLUID
    depth, fat_mm = up(flesh.depth), up(flesh.fat_mm)
    outside = depth < fat_mm
    tissues[outside & (np.abs(fine) > 0.08)] = t.FAT
    tissues[outside & (np.abs(fine - 0.3) < 0.05)] = t.FIBROUS
    tissues[np.abs(depth - fat_mm) < 0.6] = t.TENDON
    tissues[up(flesh.vessel) < 0] = t.VESSEL
    tissues[up(flesh.tendon) < 0] = t.TENDON
    tissues[depth < draw.uniform(1.0, 2.0)] = t.SKIN
    tissues[depth < 0] = t.AIR
    return tissues


def _bruises(flesh: Flesh, up: Upwards, draw: np.random.Generator) -> np.ndarray | None:
    if draw.random() < 0.6:
        return None
    level = draw.uniform(0.8, 2.0)
    return up(flesh.wide + 0.5 * flesh.fine) > level
