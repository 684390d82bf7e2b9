"""The peak memory of a few training steps, measured in the process that makes them."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from kneecascade.allocator import tune_allocator
from kneecascade.core.plan import StagePlan
from kneecascade.core.settings import DeviceName
from kneecascade.network.build import build_network
from kneecascade.network.device import choose_device
from kneecascade.training.step import Stepper, make_optimizer

GB = 1e9


def train_and_measure(stage: StagePlan, device: DeviceName, steps: int = 2) -> tuple[float, str]:
    """Makes training steps on noise; meant for a fresh process, whose peak is all its own.

    Args:
        stage: says network, patch and batch.
        device: where to train.
        steps: at least two, since the optimizer's moments come with the first.

    Returns:
        Peak in GB, of the process' resident memory or of what torch holds on the GPU, and what it ran on.

    Raises:
        SettingsError: there is no such device.
    """
    chosen = choose_device(device)
    if chosen.device.type == "cpu":
        tune_allocator()
    network = build_network(stage.network).to(chosen.device)
    network = network.to(memory_format=torch.channels_last_3d).train()  # type: ignore[call-overload]
    step = Stepper(network, make_optimizer(network, 1e-3, 1e-2), chosen)
    shape = (stage.batch_size, *stage.patch_shape_zyx)
    for _ in range(steps):
        image = torch.randn(shape[0], stage.network.in_channels, *shape[1:]).to(chosen.device)
        labels = torch.randint(stage.network.num_classes, shape, dtype=torch.uint8).to(chosen.device)
        step(image, labels, 1e-4)
    if chosen.device.type == "cuda":
        return torch.cuda.max_memory_reserved() / GB, chosen.description
    return peak_resident_bytes() / GB, chosen.description


def peak_resident_bytes() -> int:
    """Returns the most memory this process has held at once.

    Linux tells it for the program as it is; elsewhere the number may include what started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
