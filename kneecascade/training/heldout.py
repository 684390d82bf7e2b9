"""How a network does on fixed patches of held-out cases, while it trains."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from kneecascade.network.device import Device
from kneecascade.training.loss import dice_cross_entropy
from kneecascade.training.patches import PatchSource
from kneecascade.training.sampling import Sampling
from kneecascade.training.step import precision

PATCHES = 8
AROUND_TARGETS = Sampling(on_target=1.0, in_region=0.0)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Fixed batches, image float16 (N, C, *patch) and labels uint8 (N, *patch)."""

    batches: tuple[tuple[torch.Tensor, torch.Tensor], ...]


def fixed_patches(source: PatchSource, batch_size: int, seed: tuple[int, ...]) -> HeldOut:
    """Draws the patches, once, around targets, case after case; none without cases."""
    singles = []
    for k in range(PATCHES if source.cases else 0):
        case = source.cases[k % len(source.cases)]
        one = replace(source, cases=[case], sampling=AROUND_TARGETS, enlarged=False)
        singles.append(one.batch(1, (*seed, k)))
    batches = []
    for start in range(0, len(singles), batch_size):
        group = singles[start : start + batch_size]
        image, labels = (torch.cat([torch.from_numpy(s[k]) for s in group]) for k in ("image", "label"))
        batches.append((image, labels))
    return HeldOut(tuple(batches))


def watch(
    network: nn.Module, held_out: HeldOut, names: tuple[str, ...], device: Device
) -> tuple[float | None, dict[str, float | None]]:
    """Returns the mean loss and the Dice of each label over all patches together.

    Args:
        network: left in train mode.
        held_out: the patches; without any the answers are None and {}.
        names: of the labels, background first.
        device: where to compute.
    """
    if not held_out.batches:
        return None, {}
    network.eval()
    overlap, size = torch.zeros(len(names)), torch.zeros(len(names))
    there, losses = torch.zeros(len(names)), []
    with torch.no_grad():
        for image, labels in held_out.batches:
            labels = labels.to(device.device)
            batch = image.to(device.device, torch.float32)
            with precision(device):
                logits = network(batch.contiguous(memory_format=torch.channels_last_3d))
            losses.append(float(dice_cross_entropy(logits, labels)))
            predicted = logits.argmax(dim=1)
            for k in range(1, len(names)):
                a, b = predicted == k, labels == k
                overlap[k] += int((a & b).sum())
                size[k] += int(a.sum()) + int(b.sum())
                there[k] += int(b.sum())
    network.train()
    dice = {
        name: round(float(2 * overlap[k] / size[k]), 4) if there[k] else None
        for k, name in enumerate(names)
        if k
    }
    return sum(losses) / len(losses), dice
