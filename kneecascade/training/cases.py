"""What one stage trains on: arrays of its grid, in memory when they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.core.geometry import Box, Int3
from kneecascade.core.plan import CascadePlan, StagePlan
from kneecascade.core.settings import Stage
from kneecascade.imaging.components import large_components, scale_box, voxel_mm3
from kneecascade.preprocessing.store import StoredCase, read_whole


@dataclass(frozen=True, eq=False)
class StageCase:
    """A case on the grid of one stage.

    Attributes:
        name: case identifier.
        image: float16 (C, Z, Y, X), an array or what gives one when sliced.
        label: uint8 class indices (Z, Y, X), likewise.
        positions: some voxels (n, 3) of each target class that is there.
        target_box: bounding box of the targets, or None.
        pieces: bounding boxes of the targets' components that are large enough to count.
    """

    name: str
    image: Any
    label: Any
    positions: Mapping[int, np.ndarray]
    target_box: Box | None
    pieces: tuple[Box, ...] = ()

    @property
    def shape_zyx(self) -> Int3:
        """Voxels along each axis."""
        z, y, x = self.label.shape
        return (int(z), int(y), int(x))

    @property
    def nbytes(self) -> int:
        """Bytes of image and label in memory."""
        voxels = int(np.prod(self.shape_zyx))
        return voxels * (2 * int(self.image.shape[0]) + 1)


def stage_plan(plan: CascadePlan, stage: Stage) -> StagePlan:
    """Returns the plan of one stage."""
    return plan.coarse if stage == "coarse" else plan.fine


def stage_case(case: StoredCase, stage: Stage, plan: CascadePlan) -> StageCase:
    """Returns the arrays of one stage; images are not read yet."""
    targets = plan.labels.indices(plan.targets)
    box = case.target_box
    if stage == "fine":
        image, label, positions = case.image, case.label, case.class_positions
    else:
        image, label, positions = case.coarse_image, case.coarse_label, case.coarse_class_positions
        trace = case.trace
        box = scale_box(box, trace.fine_shape_zyx, trace.coarse_shape_zyx) if box else None
    kept = {k: positions[k] for k in targets if k in positions and len(positions[k])}
    pieces = _pieces(case, plan) if stage == "fine" else ()
    return StageCase(case.name, image, label, kept, box, pieces)


def _pieces(case: StoredCase, plan: CascadePlan) -> tuple[Box, ...]:
    """Returns boxes on the fine grid; the components are those of the coarse labels, where it is quick."""
    trace = case.trace
    found = large_components(
        read_whole(case.coarse_label, case.name),
        plan.labels.indices(plan.targets),
        plan.region.min_component_mm3,
        voxel_mm3(trace.native.extent_mm, trace.coarse_shape_zyx),
    )
    return tuple(scale_box(c.box, trace.coarse_shape_zyx, trace.fine_shape_zyx) for c in found)


def into_memory(cases: Sequence[StageCase], limit_bytes: int) -> tuple[list[StageCase], bool]:
    """Reads all cases when together they fit; returns the cases and whether they did."""
    if sum(case.nbytes for case in cases) > limit_bytes:
        return list(cases), False
    return [
        replace(
            case,
            image=np.ascontiguousarray(read_whole(case.image, case.name), dtype=np.float16),
            label=np.ascontiguousarray(read_whole(case.label, case.name), dtype=np.uint8),
        )
        for case in cases
    ], True


def free_memory_bytes() -> int:
    """Returns the memory that can still be used; 4 GB where the system does not tell."""
    found = [4 << 30]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        rows = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        found = [int(rows["MemAvailable"].split()[0]) << 10]
    group = Path("/sys/fs/cgroup")
    limit, used = group / "memory.max", group / "memory.current"
    if limit.is_file() and used.is_file() and limit.read_text().strip().isdigit():
        found.append(int(limit.read_text()) - int(used.read_text()))
    return max(0, min(found))
