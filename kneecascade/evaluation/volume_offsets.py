"""By how much a label's logit must be moved for its mean volume to be right.

Soft Dice rewards calling a doubtful voxel cartilage as soon as its probability is over half the Dice
reached, so a network trained with it draws thin layers too thick. A constant on the label's logit moves
its border where the network is in doubt, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LARGEST = 1.5
STEP = 0.05
OFFSETS = np.round(np.arange(-LARGEST, LARGEST + STEP / 2, STEP), 2)
FEWEST_SUBJECTS = 5
DICE_MAY_LOSE = 0.002
TINY = 1e-7


@dataclass(frozen=True, eq=False)
class Tally:
    """What one case would hold of one label under each of `OFFSETS`.

    Attributes:
        subject: whose case it is.
        voxels: predicted voxels under each offset.
        right: those of them that the reference calls so.
        reference: voxels of the reference.
    """

    subject: str
    voxels: np.ndarray
    right: np.ndarray
    reference: int

    @property
    def log_ratio(self) -> np.ndarray:
        """Logarithm of predicted over reference volume under each offset; -inf where nothing is predicted."""
        with np.errstate(divide="ignore"):
            return np.log(self.voxels / self.reference)

    @property
    def dice(self) -> np.ndarray:
        """Dice under each offset."""
        return 2 * self.right / (self.voxels + self.reference)


@dataclass(frozen=True)
class VolumeOffset:
    """What was chosen for one label.

    Attributes:
        label: its name.
        offset: to be added to its logit; 0 where nothing is gained.
        ratio_before: geometric mean of predicted over reference volume without it, over the cases where the
            label is predicted; 0 where it is in none.
        ratio_after: with it, each case under the offset that the other subjects' cases choose.
        cases: that tell anything.
    """

    label: str
    offset: float
    ratio_before: float
    ratio_after: float
    cases: int


def tally(probabilities: np.ndarray, reference: np.ndarray, label: int, subject: str) -> Tally | None:
    """Counts a label under each offset; None where the reference has none of it.

    Args:
        probabilities: float (K, Z, Y, X), summing to 1.
        reference: class indices (Z, Y, X).
        label: class index.
        subject: whose case it is.
    """
    truth = reference == label
    total = int(np.count_nonzero(truth))
    if not total:
        return None
    mine = probabilities[label]
    near = mine > 1e-3  # farther away no offset reaches
    others = np.delete(np.arange(len(probabilities)), label)
    rival = probabilities[others[0]][near]
    for other in others[1:]:
        np.maximum(rival, probabilities[other][near], out=rival)
    lead = np.log(np.maximum(mine[near], TINY)) - np.log(np.maximum(rival, TINY))
    return Tally(subject, _won(lead), _won(lead[truth[near]]), total)


def choose_offset(label: str, tallies: Sequence[Tally]) -> VolumeOffset:
    """Chooses the offset under which the geometric mean of volume ratios is 1.

    It stays 0 with under five subjects, where the mean is within its standard error of 1, and where the
    label is missed in a case; it stops short of losing .002 of mean Dice.

    Args:
        label: its name.
        tallies: of held-out cases, in any order.
    """
    offset = _best(tallies)
    zero = _at(0.0)
    known = [t for t in tallies if t.voxels[zero]]
    before = [t.log_ratio[zero] for t in known]
    after = [t.log_ratio[_at(_best([o for o in tallies if o.subject != t.subject], 1))] for t in known]
    if not offset:
        after = before
    return VolumeOffset(label, offset, _geometric(before), _geometric(after), len(tallies))


def _best(tallies: Sequence[Tally], left_out: int = 0) -> float:
    zero = _at(0.0)
    if len({t.subject for t in tallies}) < FEWEST_SUBJECTS - left_out:
        return 0.0
    if any(not t.voxels[zero] for t in tallies):
        return 0.0
    ratios = np.array([t.log_ratio for t in tallies])
    now = ratios[:, zero]
    if abs(now.mean()) <= now.std(ddof=1) / np.sqrt(len(now)):
        return 0.0
    dice = np.mean([t.dice for t in tallies], axis=0)
    with np.errstate(invalid="ignore"):
        off = np.abs(ratios.mean(axis=0))
    allowed = np.isfinite(off) & (dice >= dice[zero] - DICE_MAY_LOSE)
    return float(OFFSETS[np.where(allowed, off, np.inf).argmin()])


def _won(lead: np.ndarray) -> np.ndarray:
    """Returns how many voxels a label wins under each offset."""
    ordered = np.sort(lead)
    return len(ordered) - np.searchsorted(ordered, -OFFSETS, side="right")


def _at(offset: float) -> int:
    return int(np.abs(OFFSETS - offset).argmin())


def _geometric(log_ratios: Sequence[float]) -> float:
    return round(float(np.exp(np.mean(log_ratios))), 4) if log_ratios else 0.0
