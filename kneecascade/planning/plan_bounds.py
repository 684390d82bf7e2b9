"""Least and largest believable value of every number of a plan.

What lies outside is a slip of the hand, or would ask for more memory than any machine has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

Check = tuple[bool, str, str]
Range = tuple[float, float]

BOUNDS: dict[str, Range] = {
    "labels.values": (0, 32767),
    "memory_gb": (0.01, 1e5),
    "denoise_seconds": (0, 1e6),
    "mirror_axes": (0, 2),
    "region.margin_mm": (0, 999),
    "region.min_component_mm3": (0, 1e12),
    "region.min_volume_mm3": (0, 1e12),
    "region.max_volume_mm3": (0, 1e12),
    "region.min_extent_mm": (0, 1e5),
    "region.max_extent_mm": (0, 1e5),
    "region.blend_mm": (0, 999),
    "region.fine_reach_mm": (0, 1e5),
    "region.most_coarse_share": (0, 0.5),
    "region.max_label_extent_mm": (0, 1e5),
    "region.min_gap_mm": (0, 1e5),
    "spacing_mm": (0.01, 999),
    "patch_shape_zyx": (1, 2048),
    "batch_size": (1, 1024),
    "estimated_memory_gb": (0, 1e5),
    "network.features": (1, 4096),
    "network.strides": (1, 4),
    "network.kernels": (1, 15),
    "network.blocks": (1, 64),
    "network.width": (1, 1024),
    "network.dilations": (1, 64),
    "network.aspp_rates": (1, 256),
    "network.aspp_channels": (1, 4096),
    "network.decoder_features": (1, 1024),
    "network.stem_features": (1, 1024),
}
"""By field; those of a stage hold for both stages."""


def check_bounds(record: Any, where: str = "") -> Iterator[Check]:
    """Yields a check for every number of a plan or of a part of it.

    Args:
        record: a dataclass.
        where: its path in the plan, "coarse.network".
    """
    for field in dataclasses.fields(record):
        value, path = getattr(record, field.name), f"{where}.{field.name}" if where else field.name
        if dataclasses.is_dataclass(value):
            yield from check_bounds(value, path)
            continue
        limits = BOUNDS.get(path.removeprefix("coarse.").removeprefix("fine."))
        if limits is not None:
            low, high = limits
            for place, number in _numbers(value, path):
                yield low <= number <= high, place, f"must be from {low:g} to {high:g}"


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, tuple):
        for k, item in enumerate(value):
            yield from _numbers(item, f"{path}[{k}]")
    elif isinstance(value, int | float):
        yield path, value
