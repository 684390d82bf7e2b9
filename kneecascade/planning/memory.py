"""Estimates the memory that a training step needs, from the numbers of a network plan alone."""

from __future__ import annotations

from math import prod

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import MedicalNetPlan, NetworkPlan, ResUNetPlan

# fitted to `kc_benchmark memory` on a CPU with bf16 autocast, see documentation/experiments.md
PROCESS_GB = 0.5  # the interpreter, torch and the patches in flight
BYTES_A_FEATURE = 2.0  # bf16 or fp16
WORKING_COPIES = 1.25  # gradients and copies in flight beside what a backward pass must keep
BYTES_A_PARAMETER = 13.0  # weight, gradient, AdamW's two moments, not all at the peak
BYTES_A_LOGIT = 26.0  # 16-bit logits, 32-bit logits, probabilities and their gradients

MEDICALNET_BLOCKS = {
    10: (1, 1, 1, 1),
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
_BOTTLENECK_FROM = 50


def estimate_training_gb(network: NetworkPlan, patch_shape_zyx: Int3, batch_size: int) -> float:
    """Estimates the peak memory of a training step in GB (1e9 bytes), with 16-bit autocast.

    Counts the feature maps that the backward pass needs, the logits of all supervised resolutions,
    weights and optimizer. Grows with the patch, the batch and every width.
    """
    voxels = float(prod(patch_shape_zyx))
    if network.kind == "resunet":
        features, parameters = _resunet(network)
    else:
        features, parameters = _medicalnet(network)
    logits = 1.3 * network.num_classes * BYTES_A_LOGIT  # the coarser outputs add a sixth to a half
    inputs = 8.0 * network.in_channels + 8.0
    a_voxel = features * BYTES_A_FEATURE * WORKING_COPIES + logits + inputs
    total = voxels * batch_size * a_voxel + parameters * BYTES_A_PARAMETER
    return round(PROCESS_GB + total / 1e9, 3)


def _resunet(plan: ResUNetPlan) -> tuple[float, float]:
    """Returns kept feature elements per input voxel, and parameters."""
    kept, parameters, share = 2.0 * plan.features[0], 0.0, 1.0
    before = plan.features[0]
    levels = zip(plan.features, plan.strides, plan.kernels, plan.blocks, strict=True)
    for level, (width, stride, kernel, blocks) in enumerate(levels):
        share /= prod(stride)
        taps = prod(kernel)
        # a residual block keeps conv, BN+ReLU, conv, sum; the first of a level a projection too
        kept += share * width * (4 * blocks + 1)
        parameters += taps * width * (before + (2 * blocks - 1) * width)
        if level + 1 < len(plan.features):
            # its decoder: joined input, two convolutions with their BatchNorms
            kept += share * width * 6
            parameters += taps * 3 * width * width
        before = width
    return kept, parameters


def _medicalnet(plan: MedicalNetPlan) -> tuple[float, float]:
    """Returns kept feature elements per input voxel, and parameters."""
    conv1, pool, layer2 = (1.0 / prod(stride) for stride in plan.strides)
    half, quarter, deep = conv1, conv1 * pool, conv1 * pool * layer2
    kept, parameters, out = half * 2 * plan.width + quarter * plan.width, 0.0, plan.width
    for k, blocks in enumerate(MEDICALNET_BLOCKS[plan.depth]):
        more_kept, more, out = _layer(plan, k, blocks, out)
        kept += (quarter if k == 0 else deep) * more_kept
        parameters += more
        if k < 2:
            skip = (quarter if k == 0 else deep, out)
            kept += skip[0] * skip[1]
    branches, c = len(plan.aspp_rates), plan.aspp_channels
    kept += deep * c * (3 * branches + 2)
    parameters += c * out * (1 + 27 * (branches - 1)) + branches * c * c
    full, at_half, at_quarter = plan.decoder_features
    levels = ((1.0, full, plan.stem_features), (half, at_half, plan.width), (quarter, at_quarter, plan.width))
    for share, width, skip_width in levels:
        kept += share * (width * 5 + skip_width)
        parameters += 27 * width * (2 * width + skip_width)
    kept += deep * 5 * c + 4.0 * plan.stem_features
    return kept, parameters


def _layer(plan: MedicalNetPlan, index: int, blocks: int, before: int) -> tuple[float, float, int]:
    """Returns kept elements per voxel of the layer, parameters, output channels."""
    width = plan.width * 2**index
    if plan.depth < _BOTTLENECK_FROM:
        kept = width * (4.0 * blocks + 1)
        return kept, 27.0 * width * (before + (2 * blocks - 1) * width), width
    out = 4 * width
    kept = (4.0 * width + 2 * out) * blocks + out
    return kept, blocks * (27.0 * width * width + 2.0 * width * out) + before * out, out
