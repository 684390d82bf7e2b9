"""Soft Dice plus cross-entropy with deep supervision."""

from __future__ import annotations

from collections.abc import Sequence

import torch

EPSILON = 1e-5


def segmentation_loss(outputs: Sequence[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """Returns the weighted mean of the losses of all outputs; each weighs half of the one before.

    Args:
        outputs: logits (N, K, Z, Y, X), full resolution first, then coarser.
        labels: class indices (N, Z, Y, X), any integer type.
    """
    weights = [0.5**k for k in range(len(outputs))]
    total = outputs[0].new_zeros((), dtype=torch.float32)
    for weight, logits in zip(weights, outputs, strict=True):
        total = total + weight * dice_cross_entropy(logits, shrink_labels(labels, logits.shape[2:]))
    return total / sum(weights)


def dice_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns 1 - mean soft Dice of the foreground classes in the batch, plus cross-entropy.

    Dice is taken over the batch as a whole. A class that the batch does not hold has no Dice and
    is left out; without any foreground the cross-entropy alone remains.
    """
    log_probabilities = torch.log_softmax(logits.float(), dim=1)
    probabilities = log_probabilities.exp()
    at_label = log_probabilities.gather(1, labels.long().unsqueeze(1)).squeeze(1)
    correct = at_label.exp()
    # all classes in one sum: the gradient of a slice is a tensor of zeros of the whole's size
    totals = probabilities.sum(dim=(0, *range(2, logits.ndim)))
    dices, present = [], []
    for k in range(1, logits.shape[1]):
        mask = labels == k
        count = mask.sum()
        overlap = (correct * mask).sum()
        dices.append((2 * overlap + EPSILON) / (totals[k] + count + EPSILON))
        present.append(count > 0)
    there = torch.stack(present).float()
    missed = ((1 - torch.stack(dices)) * there).sum() / there.sum().clamp(min=1)
    return missed - at_label.mean()


def shrink_labels(labels: torch.Tensor, shape_zyx: Sequence[int]) -> torch.Tensor:
    """Returns the labels at the nearest voxel centres of a coarser grid."""
    for axis, size in enumerate(shape_zyx, start=1):
        if labels.shape[axis] != size:
            step = labels.shape[axis] / size
            index = ((torch.arange(size, device=labels.device) + 0.5) * step).long()
            labels = labels.index_select(axis, index)
    return labels
