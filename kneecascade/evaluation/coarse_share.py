"""How much the coarse stage may say inside the region, chosen by held-out cases.

A fine stage that was trained for long knows better than any mixture. One that was trained for minutes errs
in other places than the coarse stage does, and their mean is better than both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
"""With half of it a sure coarse stage would undo what a sure fine one found: thin layers lose by that."""
LEAST_GAIN = 0.002
"""A mean Dice that is higher by less is not worth a second voice."""


@dataclass(frozen=True, eq=False)
class ShareScores:
    """One held-out case under each share.

    Attributes:
        subject: whose case it is.
        dice: float (shares, targets) in the region, NaN for a target that the reference lacks.
    """

    subject: str
    dice: np.ndarray


@dataclass(frozen=True)
class ShareChoice:
    """What was chosen.

    Attributes:
        share: of the coarse stage in the region's probabilities; 0, the fine stage alone.
        dice_before: mean Dice of the targets in the region with the fine stage alone; 0 without cases.
        dice_after: the same, each case under the share that the other subjects' cases choose; where there is
            one subject, under its own.
        cases: that chose.
    """

    share: float
    dice_before: float
    dice_after: float
    cases: int


def score_shares(
    fine: np.ndarray,
    coarse: np.ndarray,
    reference: np.ndarray,
    targets: Sequence[int],
    shares: Sequence[float] = SHARES,
) -> np.ndarray:
    """Returns the Dice of each target under each share, (shares, targets), NaN where there is no reference.

    Args:
        fine: probabilities (K, Z, Y, X) of the fine stage.
        coarse: of the coarse one, on the same grid.
        reference: class indices (Z, Y, X).
        targets: class indices.
        shares: of the coarse stage.
    """
    classes = len(fine)
    ours = fine.argmax(axis=0)
    # where both stages agree no mixture says anything else
    apart = ours != coarse.argmax(axis=0)
    ours[apart] = classes
    agreed, right = _counts(ours, reference, classes)
    total = np.bincount(reference.ravel(), minlength=classes)[:classes]
    a, b, truth = fine[:, apart], coarse[:, apart], reference[apart]
    dice = []
    for share in shares:
        more, more_right = _counts(((1 - share) * a + share * b).argmax(axis=0), truth, classes)
        with np.errstate(invalid="ignore", divide="ignore"):
            dice.append(2 * (right + more_right) / (agreed + more + total))
    table = np.where(total > 0, np.stack(dice), np.nan)
    return table[:, list(targets)]


def choose_share(scores: Sequence[ShareScores], shares: Sequence[float] = SHARES) -> ShareChoice:
    """Chooses the share of the highest mean Dice; 0 where it gains less than `LEAST_GAIN`.

    Args:
        scores: of held-out cases, in any order; cases without any target tell nothing.
        shares: as the scores have them, the first one 0.
    """
    telling = [case for case in scores if np.isfinite(case.dice).any()]
    if not telling:
        return ShareChoice(0.0, 0.0, 0.0, 0)
    before, after = [], []
    for case in telling:
        others = [other for other in telling if other.subject != case.subject] or telling
        before.append(_mean(case.dice[0]))
        after.append(_mean(case.dice[_best(others)]))
    share = float(shares[_best(telling)])
    known = before if not share else after
    return ShareChoice(share, round(float(np.mean(before)), 4), round(float(np.mean(known)), 4), len(telling))


def _best(scores: Sequence[ShareScores]) -> int:
    means = np.mean([[_mean(row) for row in case.dice] for case in scores], axis=0)
    best = int(means.argmax())
    return best if means[best] - means[0] >= LEAST_GAIN else 0


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values[np.isfinite(values)]))


def _counts(found: np.ndarray, reference: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many voxels each class is given, and how many of them rightly."""
    right = found[found == reference]
    return (
        np.bincount(found.ravel(), minlength=classes)[:classes],
        np.bincount(right.ravel(), minlength=classes)[:classes],
    )
