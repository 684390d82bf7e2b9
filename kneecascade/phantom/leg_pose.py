"""How a leg lies in the scanner: its size, how it is bent and turned, what the field of view cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Float3, Int3
from kneecascade.phantom.noise import smooth_field

ROOM_MM = 9.0
"""The model reaches this far beyond the turned field of view, for elastic bending."""
JOINT_MM = 28.0
"""Flexion happens over this height about the joint line."""
CUT_SHARE = 0.15
"""Share of legs whose field of view may cut the patella; a scan's protocol sees to it that most do not."""
ELASTIC = ((45.0, 2.5), (22.0, 0.7))
"""Wavelengths and standard deviations of the elastic displacement, in mm."""


@dataclass(frozen=True)
class Pose:
    """How a leg lies.

    Attributes:
        extent_mm: edge lengths (z, y, x) of the field of view.
        centre_mm: its centre in the leg's space.
        sizes: of the leg, along z, y and x; 1 is an average adult.
        turn_rad: of the whole leg about z, y and x.
        bend_rad: of the thigh against the calf: twist about z, varus about y, flexion about x.
    """

    extent_mm: Float3
    centre_mm: Float3
    sizes: Float3
    turn_rad: Float3
    bend_rad: Float3


def draw_pose(draw: np.random.Generator) -> Pose:
    """Draws a pose and a field of view; most show the joint with the whole patella, the smallest cut it."""
    size = draw.uniform(0.86, 1.14)
    z, y, x = (float(size * draw.uniform(0.93, 1.07)) for _ in range(3))
    degrees = np.radians
    cut = draw.random() < CUT_SHARE
    high, deep = ((110, 178), (118, 172)) if cut else ((118, 178), (132, 176))
    up, back = ((-14, 22), (-16, 18)) if cut else ((-4, 24), (-14, 8))
    return Pose(
        extent_mm=(draw.uniform(*high), draw.uniform(*deep), draw.uniform(88, 138)),
        centre_mm=(draw.uniform(*up), draw.uniform(*back), draw.uniform(-9, 9)),
        sizes=(z, y, x),
        turn_rad=(
            float(degrees(draw.uniform(-18, 18))),
            float(degrees(draw.uniform(-7, 7))),
            float(degrees(draw.uniform(-8, 8))),
        ),
        bend_rad=(
            float(degrees(draw.uniform(-8, 8))),
            float(degrees(draw.uniform(-6, 6))),
            float(degrees(draw.uniform(-4, 22))),
        ),
    )


def model_box(pose: Pose) -> tuple[Float3, Float3]:
    """Returns the corners (z, y, x) in mm of what the field of view can show of the leg."""
    signs = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3, indexing="ij")).reshape(3, -1)
    corners = _turn(pose) @ (np.array(pose.extent_mm)[:, None] * signs) / np.array(pose.sizes)[:, None]
    corners = corners + np.array(pose.centre_mm)[:, None]
    # bending moves what lies far above and below most
    lever = max(abs(pose.bend_rad[2]), abs(pose.bend_rad[1])) / 2
    reach = ROOM_MM + np.array([0.0, 1.0, 1.0]) * np.sin(lever) * np.abs(corners[0]).max()
    low, high = corners.min(axis=1) - reach, corners.max(axis=1) + reach
    a, b, c = (float(v) for v in low)
    d, e, f = (float(v) for v in high)
    return (a, b, c), (d, e, f)


def sources(
    pose: Pose, spacing_mm: Float3, start_mm: Float3, step_mm: Float3, draw: np.random.Generator
) -> np.ndarray:
    """Returns where in the model each voxel of the field of view comes from.

    Args:
        pose: how the leg lies.
        spacing_mm: (z, y, x) of the result.
        start_mm: place of the model's first voxel.
        step_mm: spacing of the model.
        draw: of the elastic displacement.

    Returns:
        float32 (3, Z, Y, X), voxels of the model.
    """
    shape: Int3 = tuple(round(e / mm) for e, mm in zip(pose.extent_mm, spacing_mm, strict=True))  # type: ignore[assignment]
    axes = [
        (np.arange(n, dtype=np.float32) - (n - 1) / 2) * mm for n, mm in zip(shape, spacing_mm, strict=True)
    ]
    matrix = (_turn(pose) / np.array(pose.sizes)[:, None]).astype(np.float32)
    places = [
        a * axes[0][:, None, None]
        + (b * axes[1][None, :, None] + c * axes[2][None, None, :])
        + np.float32(middle)
        for (a, b, c), middle in zip(matrix, pose.centre_mm, strict=True)
    ]
    places = _bent(places, pose.bend_rad)
    for k in range(3):
        for wavelength, sd_mm in ELASTIC:
            places[k] += np.float32(sd_mm) * smooth_field(draw, shape, spacing_mm, wavelength)
        places[k] = (places[k] - np.float32(start_mm[k])) / np.float32(step_mm[k])
    return np.stack(places)


def _turn(pose: Pose) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(pose.turn_rad):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _bent(places: list[np.ndarray], bend_rad: Float3) -> list[np.ndarray]:
    """Turns the thigh one way and the calf the other, smoothly over the joint."""
    share = 0.5 * np.tanh(places[0] / np.float32(JOINT_MM))
    for axis, angle in enumerate(bend_rad):
        a, b = [k for k in range(3) if k != axis]
        cos, sin = np.cos(angle * share), np.sin(angle * share)
        places[a], places[b] = cos * places[a] - sin * places[b], sin * places[a] + cos * places[b]
    return places
