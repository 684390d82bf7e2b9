"""How sure the networks are, and how far the folds agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from torch import nn

from kneecascade.core.labels import Labels

THIN = 2
"""Every second voxel along each axis is enough for a mean."""


@dataclass(frozen=True)
class Sureness:
    """Of one result, inside the region.

    Attributes:
        entropy: mean entropy of the probabilities where a label won, over the entropy of total ignorance:
            0 sure, 1 a guess. A label that won nowhere has none.
        fold_dice: smallest Dice between any two folds; empty for one fold. A label that no fold found
            has none.
        soft_dice: Dice of each label with its own probabilities (Borges et al. 2024, "soft Dice
            confidence", doi:10.48550/arXiv.2402.10665): what they promise, too much where networks are
            surer than they should be. A label that won nowhere has none.
    """

    entropy: dict[str, float] = field(default_factory=dict)
    fold_dice: dict[str, float] = field(default_factory=dict)
    soft_dice: dict[str, float] = field(default_factory=dict)


def mean_and_votes(
    networks: Sequence[nn.Module], predict: Callable[[Sequence[nn.Module]], np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns the folds' mean probabilities (K, z, y, x), and what each fold alone would say.

    Args:
        networks: one a fold.
        predict: probabilities of some networks, their mean.

    Returns:
        The mean, and uint8 class indices (z, y, x) of each fold; none where there is one fold.
    """
    if len(networks) == 1:
        return predict(networks), []
    total, votes = None, []
    for network in networks:
        probabilities = predict([network])
        votes.append(probabilities.argmax(axis=0).astype(np.uint8))
        total = probabilities if total is None else np.add(total, probabilities, out=total)
    assert total is not None
    return np.divide(total, np.float32(len(networks)), out=total), votes


def sureness_of(probabilities: np.ndarray, votes: Sequence[np.ndarray], labels: Labels) -> Sureness:
    """Measures one result.

    Args:
        probabilities: (K, z, y, x), the mean over folds.
        votes: class indices (z, y, x) of each fold alone; may be empty for one fold.
        labels: of the classes.
    """
    thin = np.ascontiguousarray(probabilities[:, ::THIN, ::THIN, ::THIN], dtype=np.float32)
    winners = thin.argmax(axis=0).ravel()
    entropy = -(thin * np.log(np.maximum(thin, 1e-7))).sum(axis=0).ravel() / np.log(len(thin))
    counts = np.bincount(winners, minlength=labels.count)
    sums = np.bincount(winners, weights=entropy, minlength=labels.count)
    sure = {
        name: round(float(sums[k] / counts[k]), 4) for k, name in enumerate(labels.names) if k and counts[k]
    }
    folds = _smallest_dice([vote[::THIN, ::THIN, ::THIN] for vote in votes], labels)
    return Sureness(sure, folds, _soft_dice(thin.reshape(len(thin), -1), winners, counts, labels))


def _soft_dice(
    probabilities: np.ndarray, winners: np.ndarray, counts: np.ndarray, labels: Labels
) -> dict[str, float]:
    """Returns the Dice of each label with its probabilities (K, n), by the class that won each voxel."""
    found = {}
    for k, name in enumerate(labels.names):
        if k and counts[k]:
            inside = float(probabilities[k][winners == k].sum(dtype=np.float64))
            both = float(counts[k]) + float(probabilities[k].sum(dtype=np.float64))
            found[name] = round(2 * inside / both, 4)
    return found


def _smallest_dice(votes: Sequence[np.ndarray], labels: Labels) -> dict[str, float]:
    found: dict[str, float] = {}
    count = labels.count
    for a, b in combinations(votes, 2):
        joint = np.bincount(a.ravel().astype(np.int64) * count + b.ravel(), minlength=count**2)
        table = joint.reshape(count, count)
        for k, name in enumerate(labels.names):
            both = int(table[k].sum() + table[:, k].sum())
            if k and both:
                dice = round(2 * int(table[k, k]) / both, 4)
                found[name] = min(dice, found.get(name, 1.0))
    return found
