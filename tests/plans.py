"""Tiny plans and geometries that tests build on."""

from __future__ import annotations

import numpy as np

from kneecascade.core.geometry import Float3, Geometry, Int3
from kneecascade.core.labels import Labels
from kneecascade.core.plan import (
    CascadePlan,
    MedicalNetPlan,
    RegionPlan,
    ResUNetPlan,
    StagePlan,
)


def tiny_resunet(in_channels: int = 1, num_classes: int = 3) -> ResUNetPlan:
    """Returns a three-level ResUNet that runs in milliseconds; total stride 4."""
    return ResUNetPlan(
        kind="resunet",
        in_channels=in_channels,
        num_classes=num_classes,
        features=(4, 8, 12),
        strides=((1, 1, 1), (2, 2, 2), (2, 2, 2)),
        kernels=((3, 3, 3),) * 3,
        blocks=(1, 1, 1),
    )


def tiny_medicalnet(in_channels: int = 1, num_classes: int = 3) -> MedicalNetPlan:
    """Returns a narrow MedicalNet-10 with ASPP; total stride 8."""
    return MedicalNetPlan(
        kind="medicalnet_aspp",
        in_channels=in_channels,
        num_classes=num_classes,
        depth=10,
        width=4,
        strides=((2, 2, 2), (2, 2, 2), (2, 2, 2)),
        dilations=(2, 4),
        aspp_rates=((1, 1, 1), (2, 2, 2)),
        aspp_channels=8,
        decoder_features=(4, 4, 8),
        stem_features=4,
    )


def tiny_plan(
    labels: tuple[str, ...] = ("background", "bone", "cartilage"),
    values: tuple[int, ...] | None = None,
    targets: tuple[str, ...] = ("cartilage",),
    channels: tuple[str, ...] = ("MR",),
    coarse_spacing: Float3 = (2.0, 2.0, 2.0),
    fine_spacing: Float3 = (1.0, 1.0, 1.0),
    coarse_patch: Int3 = (16, 16, 16),
    fine_patch: Int3 = (16, 16, 16),
    margin_mm: float = 4.0,
    thin_labels: tuple[str, ...] = (),
    mirror_axes: tuple[int, ...] = (0, 1, 2),
    file_ending: str = ".nii.gz",
) -> CascadePlan:
    """Returns a whole plan with tiny networks; any believable region passes."""
    sizes = (len(channels), len(labels))
    some = (1.0,) * len(targets)
    return CascadePlan(
        version="0.1.0",
        dataset_name="Dataset001_Tiny",
        data_hash="0" * 16,
        channel_names=channels,
        labels=Labels(labels, values or tuple(range(len(labels)))),
        file_ending=file_ending,
        targets=targets,
        normalization=("percentile_zscore",) * len(channels),
        memory_gb=8.0,
        mirror_axes=mirror_axes,
        region=RegionPlan(
            margin_mm=margin_mm,
            min_component_mm3=some,
            min_volume_mm3=some,
            max_volume_mm3=(1e6,) * len(targets),
            min_extent_mm=(1.0, 1.0, 1.0),
            max_extent_mm=(1e3, 1e3, 1e3),
            blend_mm=0.0,
        ),
        coarse=StagePlan(coarse_spacing, coarse_patch, 2, thin_labels, 1.0, tiny_resunet(*sizes)),
        fine=StagePlan(fine_spacing, fine_patch, 2, thin_labels, 1.0, tiny_medicalnet(*sizes)),
    )


def blob_labels(shape_zyx: Int3 = (24, 28, 32), spacing_mm: Float3 = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Returns int16 labels: a ball of bone (1) with a cap of cartilage (2) on its head side."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape_zyx, spacing_mm, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt(z**2 + y**2 + x**2)
    inner = 0.25 * min(n * s for n, s in zip(shape_zyx, spacing_mm, strict=True))
    labels = (radius < inner).astype(np.int16)
    labels[(radius >= inner) & (radius < 1.5 * inner) & (z > 0)] = 2
    return labels


def oblique_direction(degrees_xyz: Float3) -> tuple[float, ...]:
    """Returns row-major direction cosines: turns about x, then y, then z."""
    matrix = np.eye(3)
    for axis, degrees in enumerate(degrees_xyz):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turn = np.eye(3)
        a, b = [(1, 2), (2, 0), (0, 1)][axis]
        turn[a, a], turn[a, b], turn[b, a], turn[b, b] = c, -s, s, c
        matrix = turn @ matrix
    return tuple(float(v) for v in matrix.ravel())


def tiny_geometry(
    shape_zyx: Int3 = (24, 28, 32),
    spacing_mm: Float3 = (1.0, 1.0, 1.0),
    degrees_xyz: Float3 = (0.0, 0.0, 0.0),
) -> Geometry:
    """Returns a grid, turned by some degrees about the patient's axes."""
    return Geometry(shape_zyx, spacing_mm, (1.5, -2.5, 3.5), oblique_direction(degrees_xyz))
