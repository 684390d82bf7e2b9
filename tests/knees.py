"""Small knees made of blocks, and their images, that quality tests build on."""

from __future__ import annotations

import numpy as np

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Float3, Geometry
from kneecascade.core.labels import Labels

LABELS = Labels(("background", "femur", "femoral_cartilage", "tibia", "tibial_cartilage"), (0, 1, 2, 5, 7))
GREY = {0: 60.0, 1: 15.0, 2: 110.0, 5: 18.0, 7: 105.0}
SHAPE = (40, 36, 38)
# x towards the left, y towards the back, z towards the head: canonical as it stands
CANONICAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def block_knee(seed: int, spacing_mm: Float3 = (1.0, 1.0, 1.0)) -> tuple[Volume, LabelVolume]:
    """Returns an image and labels: femur over its cartilage over the tibia's over the tibia, sizes varied."""
    generator = np.random.default_rng(seed)
    edge, depth = generator.integers(22, 26, 2)
    labels = np.zeros(SHAPE, dtype=np.int16)
    inside = (slice(6, 6 + int(depth)), slice(6, 6 + int(edge)))
    labels[:17, inside[0], inside[1]] = 5
    labels[17:19, inside[0], 7 : 5 + int(edge)] = 7
    labels[20:22, inside[0], 7 : 5 + int(edge)] = 2
    labels[22:, inside[0], inside[1]] = 1
    grey = np.vectorize(GREY.get)(labels).astype(np.float32)
    grey[:, :4] = grey[:, :, :3] = 0
    grey += generator.normal(0, 3, SHAPE).astype(np.float32)
    geometry = Geometry(SHAPE, spacing_mm, (0.0, 0.0, 0.0), CANONICAL)
    return Volume(grey[None], geometry), LabelVolume(labels, geometry)
