"""How much the coarse stage may say inside the region, chosen by held-out cases.

A fine stage that was trained for long knows better than any mixture. One that was trained for minutes errs
in other places than the coarse stage does, and their mean is better than both. Thick labels, bones above
all, may have another share: there the coarse resolution costs least, and it is the coarse stage that sees the
whole knee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
"""With half of it a sure coarse stage would undo what a sure fine one found: thin layers lose by that."""
THICK_SHARES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7)
LEAST_GAIN = 0.002
"""A mean Dice that is higher by less is not worth a second voice."""


@dataclass(frozen=True)
class Mix:
    """Shares of the coarse stage: in thin labels and the background, and in thick labels."""

    share: float
    thick: float


FINE_ALONE = Mix(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class MixScores:
    """One held-out case under each mix.

    Attributes:
        subject: whose case it is.
        dice: float (mixes, labels) in the region, NaN for a label that the reference lacks.
    """

    subject: str
    dice: np.ndarray


@dataclass(frozen=True)
class ShareChoice:
    """What was chosen.

    Attributes:
        share: of the coarse stage in the region's probabilities of thin labels and background; 0, the fine
            stage alone.
        thick: in those of the other labels.
        dice_before: mean Dice of the labels in the region with the fine stage alone; 0 without cases.
        dice_after: the same, each case under the mix that the other subjects' cases choose; where there is
            one subject, under its own.
        cases: that chose.
    """

    share: float
    thick: float
    dice_before: float
    dice_after: float
    cases: int


def possible_mixes(most: float, most_thick: float) -> list[Mix]:
    """Returns the mixes to choose from, the fine stage alone first.

    Args:
        most: largest share in thin labels; 0 leaves the fine stage alone.
        most_thick: largest share in the others.
    """
    if most <= 0:
        return [FINE_ALONE]
    few = [s for s in SHARES if s <= most]
    pairs = {(s, t) for s in few for t in (s, *THICK_SHARES) if t <= most_thick}
    return [FINE_ALONE, *(Mix(*pair) for pair in sorted(pairs - {(0.0, 0.0)}))]


def score_mixes(
    fine: np.ndarray, coarse: np.ndarray, reference: np.ndarray, shares: Sequence[Sequence[float]]
) -> np.ndarray:
    """Returns the Dice of each label under each mix, (mixes, K - 1), NaN where there is no reference.

    Args:
        fine: probabilities (K, Z, Y, X) of the fine stage.
        coarse: of the coarse one, on the same grid.
        reference: class indices (Z, Y, X).
        shares: of the coarse stage in each class, K numbers a mix.
    """
    classes = len(fine)
    ours = fine.argmax(axis=0)
    # where both stages agree no mixture is looked at: others could only win on a few voxels in doubt
    apart = ours != coarse.argmax(axis=0)
    ours[apart] = classes
    agreed, right = _counts(ours, reference, classes)
    total = np.bincount(reference.ravel(), minlength=classes)[:classes]
    a, b, truth = fine[:, apart], coarse[:, apart], reference[apart]
    dice = []
    for each in shares:
        share = np.asarray(each, dtype=np.float32)[:, None]
        more, more_right = _counts(((1 - share) * a + share * b).argmax(axis=0), truth, classes)
        with np.errstate(invalid="ignore", divide="ignore"):
            dice.append(2 * (right + more_right) / (agreed + more + total))
    return np.where(total > 0, np.stack(dice), np.nan)[:, 1:]


def choose_mix(scores: Sequence[MixScores], mixes: Sequence[Mix], targets: Sequence[int]) -> ShareChoice:
    """Chooses a share by the mean Dice of the targets, then one for thick labels by that of all labels.

    Either stays where it was, at 0 and at the first choice, where a change gains less than `LEAST_GAIN`.

    Args:
        scores: of held-out cases, in any order; cases without any target tell nothing.
        mixes: as the scores have them, the fine stage alone first.
        targets: class indices.
    """
    columns = [k - 1 for k in targets]
    telling = [case for case in scores if np.isfinite(case.dice[:, columns]).any()]
    if not telling:
        return ShareChoice(0.0, 0.0, 0.0, 0.0, 0)
    before, after = [], []
    for case in telling:
        others = [other for other in telling if other.subject != case.subject] or telling
        before.append(_mean(case.dice[0]))
        after.append(_mean(case.dice[_best(others, mixes, columns)]))
    chosen = mixes[_best(telling, mixes, columns)]
    known = before if chosen == FINE_ALONE else after
    old, new = (round(float(np.mean(values)), 4) for values in (before, known))
    return ShareChoice(chosen.share, chosen.thick, old, new, len(telling))


def _best(scores: Sequence[MixScores], mixes: Sequence[Mix], columns: Sequence[int]) -> int:
    of_targets = np.mean([[_mean(row[list(columns)]) for row in case.dice] for case in scores], axis=0)
    of_all = np.mean([[_mean(row) for row in case.dice] for case in scores], axis=0)
    # the same share in every label, as far as the limit for thick ones lets it
    alike: dict[float, int] = {}
    for k, mix in enumerate(mixes):
        if mix.thick <= mix.share:
            alike[mix.share] = max(alike.get(mix.share, k), k, key=lambda j: mixes[j].thick)
    first = _better(of_targets, 0, list(alike.values()))
    return _better(of_all, first, [k for k, mix in enumerate(mixes) if mix.share == mixes[first].share])


def _better(means: np.ndarray, usual: int, others: Sequence[int]) -> int:
    best = max(others, key=lambda k: means[k])
    return best if means[best] - means[usual] >= LEAST_GAIN else usual


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values[np.isfinite(values)]))


def _counts(found: np.ndarray, reference: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many voxels each class is given, and how many of them rightly."""
    right = found[found == reference]
    return (
        np.bincount(found.ravel(), minlength=classes)[:classes],
        np.bincount(right.ravel(), minlength=classes)[:classes],
    )
