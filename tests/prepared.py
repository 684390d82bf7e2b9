"""Prepared cases in memory that training tests learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneecascade.core.geometry import Box, Geometry, Int3
from kneecascade.core.trace import Trace
from kneecascade.imaging.components import bounding_box


@dataclass(frozen=True, eq=False)
class FakeCase:
    """Has what `preprocessing.store.StoredCase` has, as plain arrays."""

    name: str
    image: np.ndarray
    label: np.ndarray
    coarse_image: np.ndarray
    coarse_label: np.ndarray
    trace: Trace
    class_positions: dict[int, np.ndarray]
    coarse_class_positions: dict[int, np.ndarray]
    target_box: Box | None


def cube_case(seed: int, shape_zyx: Int3 = (24, 26, 28), channels: int = 1) -> FakeCase:
    """Returns noise with a bright cube (class 2) beside a less bright slab (class 1), somewhere."""
    draw = np.random.default_rng(seed)
    label = np.zeros(shape_zyx, np.uint8)
    z, y, x = (int(draw.integers(2, n - 14)) for n in shape_zyx)
    label[z : z + 4, y : y + 10, x : x + 10] = 1
    label[z + 4 : z + 10, y : y + 8, x : x + 8] = 2
    return fake_case(f"case_{seed}", label, draw, channels)


def fake_case(name: str, label: np.ndarray, draw: np.random.Generator, channels: int = 1) -> FakeCase:
    """Returns a case whose grey values follow its labels; the coarse grid takes every second voxel."""
    clean = np.array([-0.5, 1.0, 2.5], np.float32)[label]
    image = np.stack([clean + 0.3 * draw.standard_normal(label.shape) for _ in range(channels)])
    image = image.astype(np.float16)
    coarse = tuple(slice(None, None, 2) for _ in range(3))
    coarse_label = label[coarse].copy()
    geometry = Geometry(label.shape, (1.0, 1.0, 1.0))
    trace = Trace(
        geometry, (0, 1, 2), (False, False, False), geometry, coarse_label.shape, geometry.shape_zyx
    )
    return FakeCase(
        name=name,
        image=image,
        label=label,
        coarse_image=image[(slice(None), *coarse)].copy(),
        coarse_label=coarse_label,
        trace=trace,
        class_positions=_positions(label),
        coarse_class_positions=_positions(coarse_label),
        target_box=bounding_box(label == 2),
    )


def _positions(label: np.ndarray) -> dict[int, np.ndarray]:
    return {k: np.argwhere(label == k) for k in range(3) if (label == k).any()}
