"""Chooses training patch and batch size of a stage within the memory."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import NetworkPlan
from kneecascade.planning.memory import estimate_training_gb
from kneecascade.planning.topology import rounded_up, total_stride

# a step should stay short on the machine such a memory stands for: 8 GB gives 2 million voxels,
# about nnU-Net's patch for 8 GB, and 3 GB, a laptop's share, about 80x104x88
VOXELS_A_GB = 250_000
LEAST_BATCH = 2  # BatchNorm needs more than one patch
MOST_BATCH = 4
# a larger batch only serves small patches; beyond this BatchNorm has all the voxels it needs
MOST_VOXELS_A_STEP = 1_000_000
# nnU-Net's rule: a step sees at most 5 % of the data set, so that steps differ
MOST_SHARE_A_STEP = 0.05
# under this many voxels an axis is not shrunk further
SMALLEST_EDGE = 32

Topology = Callable[[Int3], NetworkPlan]


def fitted_patch(aim_zyx: Int3, topology: Topology, memory_gb: float) -> tuple[Int3, NetworkPlan] | None:
    """Shrinks a patch until two of them fit the memory, keeping its proportions.

    Args:
        aim_zyx: the wanted patch; it is enlarged to what the network's strides divide.
        topology: makes the network of a patch.
        memory_gb: budget of a training step.

    Returns:
        Patch, each axis divisible by the network's stride, with its network; None where even the
        smallest does not fit.
    """
    patch = list(aim_zyx)
    while True:
        network = topology((patch[0], patch[1], patch[2]))
        stride = total_stride(network)
        whole = rounded_up((patch[0], patch[1], patch[2]), stride)
        if fits(whole, network, memory_gb):
            return whole, network
        # the axis that is largest against the aim goes first; the mm proportions are the aim's
        ratios = [
            n / aim if n - step >= SMALLEST_EDGE else 0.0
            for n, aim, step in zip(whole, aim_zyx, stride, strict=True)
        ]
        axis = ratios.index(max(ratios))
        if ratios[axis] == 0:
            return None
        patch = list(whole)
        patch[axis] -= max(stride[axis], 2)


def fits(patch_zyx: Int3, network: NetworkPlan, memory_gb: float) -> bool:
    """Says whether two patches fit the memory and their voxels the step."""
    if prod(patch_zyx) > VOXELS_A_GB * memory_gb:
        return False
    return estimate_training_gb(network, patch_zyx, LEAST_BATCH) <= memory_gb


def batch_size(patch_zyx: Int3, network: NetworkPlan, memory_gb: float, dataset_voxels: float) -> int:
    """Returns the patches a step: two, up to four where patches are small, memory and data are large.

    Args:
        patch_zyx: the training patch.
        network: the network.
        memory_gb: budget of a training step.
        dataset_voxels: voxels of all training images at the stage's spacing.
    """
    batch, voxels = LEAST_BATCH, prod(patch_zyx)
    most = min(MOST_VOXELS_A_STEP, MOST_SHARE_A_STEP * dataset_voxels)
    while (
        batch < MOST_BATCH
        and (batch + 1) * voxels <= most
        and estimate_training_gb(network, patch_zyx, batch + 1) <= memory_gb
    ):
        batch += 1
    return batch
