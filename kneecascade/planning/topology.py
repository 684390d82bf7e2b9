"""Derives the networks' strides, kernels, features and ASPP rates from patch shape and spacing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.plan import MedicalNetPlan, NetworkPlan, ResUNetPlan

# nnU-Net's rule: axes are brought to similar spacing first, the finest ones strided alone
SIMILAR_SPACING = 2.0

# coarse ResUNet: smallest feature map as in nnU-Net; widths 16..160 cost 58 kMAC a voxel and lost
# nothing against 32..320 in short trainings; the costly finest level gets one block only
COARSE_SMALLEST = 4
COARSE_LEVELS = 5
COARSE_FEATURES, COARSE_MOST_FEATURES = 16, 160
COARSE_BLOCKS = (1, 2, 2, 2, 2)

# fine MedicalNet: three strided steps as published (conv1, max-pool, layer2), then dilation 2 and 4;
# a feature map under 8 voxels would leave the dilated convolutions nothing but padding to see
FINE_SMALLEST = 8
FINE_STEPS = 3
FINE_DILATIONS = (2, 4)
# rates after DeepLabv3, scaled to 3D patches: larger ones would mostly sample padding
ASPP_RATES = (1, 2, 4, 6)
# the decoder at full resolution matters more than encoder depth: two convolutions on every level
DECODER_FEATURES = (16, 32, 64)
STEM_FEATURES = 16
PUBLISHED_WIDTH = 64


def resunet_plan(shape_zyx: Int3, spacing_mm: Float3, in_channels: int, num_classes: int) -> ResUNetPlan:
    """Returns the coarse network for a patch of about `shape_zyx` voxels.

    An axis is strided while its feature map keeps four voxels, up to five levels. A kernel is 1 on an
    axis until its spacing is within a factor two of the finest one's, then 3.
    """
    strides = [(1, 1, 1), *_strides(shape_zyx, spacing_mm, COARSE_SMALLEST, COARSE_LEVELS - 1)]
    while len(strides) > 1 and strides[-1] == (1, 1, 1):
        strides.pop()
    levels = len(strides)
    return ResUNetPlan(
        kind="resunet",
        in_channels=in_channels,
        num_classes=num_classes,
        features=tuple(min(COARSE_FEATURES * 2**k, COARSE_MOST_FEATURES) for k in range(levels)),
        strides=tuple(strides),
        kernels=_kernels(strides, spacing_mm),
        blocks=COARSE_BLOCKS[:levels],
    )


def medicalnet_plan(
    shape_zyx: Int3, spacing_mm: Float3, in_channels: int, num_classes: int, depth: int, width: int
) -> MedicalNetPlan:
    """Returns the fine network for a patch of `shape_zyx` voxels.

    Of the three strided steps an axis takes part while its feature map keeps eight voxels and its
    spacing is within a factor two of the finest one's.
    """
    strides = _strides(shape_zyx, spacing_mm, FINE_SMALLEST, FINE_STEPS)
    return MedicalNetPlan(
        kind="medicalnet_aspp",
        in_channels=in_channels,
        num_classes=num_classes,
        depth=depth,
        width=width,
        strides=(strides[0], strides[1], strides[2]),
        dilations=FINE_DILATIONS,
        aspp_rates=aspp_rates(shape_zyx, spacing_mm, strides),
        aspp_channels=2 * width,
        decoder_features=DECODER_FEATURES,
        stem_features=STEM_FEATURES,
    )


def aspp_rates(shape_zyx: Int3, spacing_mm: Float3, strides: Sequence[Int3]) -> tuple[Int3, ...]:
    """Returns the dilation (z, y, x) of each ASPP branch; (1, 1, 1) is the 1x1x1 branch.

    Rates 1, 2, 4, 6 in steps of the finest axis; an axis with coarser features takes proportionally
    smaller rates, none over half its feature map less one. Branches that become equal are one.
    """
    total = multiplied(strides)
    spacing = [mm * step for mm, step in zip(spacing_mm, total, strict=True)]
    most = [max(1, n // step // 2 - 1) for n, step in zip(shape_zyx, total, strict=True)]
    rates: list[Int3] = []
    for rate in ASPP_RATES:
        z, y, x = (min(most[k], max(1, round(rate * min(spacing) / spacing[k]))) for k in range(3))
        if (z, y, x) not in rates:
            rates.append((z, y, x))
    return tuple(rates)


def total_stride(network: NetworkPlan) -> Int3:
    """Returns the stride (z, y, x) of the network's smallest feature map."""
    return multiplied(network.strides)


def multiplied(strides: Sequence[Int3]) -> Int3:
    """Returns the product of strides, axis by axis; (1, 1, 1) for none."""
    z, y, x = (prod(stride[k] for stride in strides) for k in range(3))
    return (z, y, x)


def rounded_up(shape_zyx: Int3, stride_zyx: Int3) -> Int3:
    """Returns the smallest shape not below `shape_zyx` that the stride divides."""
    z, y, x = (-(-n // step) * step for n, step in zip(shape_zyx, stride_zyx, strict=True))
    return (z, y, x)


def _strides(shape_zyx: Int3, spacing_mm: Float3, smallest: int, steps: int) -> list[Int3]:
    size, spacing = list(shape_zyx), list(spacing_mm)
    strides: list[Int3] = []
    for _ in range(steps):
        large = [k for k in range(3) if size[k] // 2 >= smallest]
        finest = min((spacing[k] for k in large), default=0.0)
        stride = [2 if k in large and spacing[k] < SIMILAR_SPACING * finest else 1 for k in range(3)]
        for k in range(3):
            size[k] //= stride[k]
            spacing[k] *= stride[k]
        strides.append((stride[0], stride[1], stride[2]))
    return strides


def _kernels(strides: Sequence[Int3], spacing_mm: Float3) -> tuple[Int3, ...]:
    spacing = list(spacing_mm)
    kernel = [1, 1, 1]
    kernels: list[Int3] = []
    for stride in strides:
        spacing = [mm * step for mm, step in zip(spacing, stride, strict=True)]
        for k in range(3):
            if spacing[k] < SIMILAR_SPACING * min(spacing):
                kernel[k] = 3
        kernels.append((kernel[0], kernel[1], kernel[2]))
    return tuple(kernels)
