"""Left or right: which of two answers fits the anatomy, whether one fits the side that was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.evaluation.quality_features import measure_features
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.inference.side_shape import shape_speaks_for
from kneecascade.planning.sides import OTHER, side_of_labels

TRIM = 0.05
BOTH_WAYS: tuple[Side, Side] = ("right", "left")


class Answer(Protocol):
    """What is asked of a segmented image; see `cascade.CascadeResult`."""

    @property
    def labels(self) -> LabelVolume: ...  # noqa: D102

    @property
    def flags(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def seconds(self) -> dict[str, float]: ...  # noqa: D102

    @property
    def certainty(self) -> float | None: ...  # noqa: D102


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Evidence:
    """What speaks for the side that an image was taken for.

    Attributes:
        told: the side that medial and lateral labels of the answer tell; None where they tell none.
        flags: how many reasons for doubt the answer has.
        certainty: of both stages, see `certainty`.
        shape: how much better its shape fits than the other side's, see `side_shape`; 0 where that is not
            known.
    """

    told: Side | None
    flags: int
    certainty: float
    shape: float = 0.0


def needs_both_ways(side: Side, plan: CascadePlan) -> bool:
    """Says whether an image has to be predicted as a right and as a left knee."""
    return side == "unknown" and plan.canonical_side != "none"


def side_taken(trace: Trace, plan: CascadePlan, side: Side) -> Side:
    """Returns the side that an image was segmented as; of a plan without sides, the one that was given."""
    if plan.canonical_side == "none":
        return side
    return OTHER[plan.canonical_side] if trace.mirrored else plan.canonical_side


def told_side(labels: LabelVolume, plan: CascadePlan) -> Side | None:
    """Returns the side that medial and lateral labels on the file's grid tell; None where they tell none."""
    turned = to_canonical(labels.array, *canonical_axes(labels.geometry))
    return side_of_labels(turned, plan.labels, TRIM)


def certainty(stages: Sequence[np.ndarray], plan: CascadePlan) -> float | None:
    """Returns how sure the stages are of the targets; None where the plan knows no sides.

    The mean probability of the winning class over the voxels where it is a target, 0 where none wins; then
    the mean over the stages, since the coarse one sees what lies around, such as the fibula.

    Args:
        stages: probabilities (K, z, y, x) of each.
        plan: says the targets.
    """
    if plan.canonical_side == "none":
        return None
    means = []
    for probabilities in stages:
        targets = np.isin(probabilities.argmax(axis=0), plan.labels.indices(plan.targets))
        means.append(float(probabilities.max(axis=0)[targets].mean()) if targets.any() else 0.0)
    return sum(means) / len(means)


def answer_both_ways(
    answer: Callable[[Side], A], plan: CascadePlan, reference: QualityReference | None = None
) -> A:
    """Returns the more plausible of an image's answers as a right and as a left knee, flagged.

    Args:
        answer: segments the image, taken for one side.
        plan: has a canonical side.
        reference: what training knees measure as knees of that side; None leaves shape out.
    """
    answers = {side: answer(side) for side in BOTH_WAYS}
    best, flag = more_plausible(_evidence(answers, plan, reference))
    kept, steps = answers[best], [found.seconds for found in answers.values()]
    seconds = {step: round(sum(s.get(step, 0.0) for s in steps), 3) for step in {**steps[0], **steps[1]}}
    return replace(kept, flags=(*kept.flags, flag), seconds=seconds)  # type: ignore[type-var]


def more_plausible(evidence: Mapping[Side, Evidence]) -> tuple[Side, str]:
    """Chooses between the answers for both sides.

    An answer whose medial and lateral labels lie as on the side it was made for goes first, then the one
    whose shape is more like that of the training knees, then the one with fewer flags, then the more
    certain one. Shape goes before certainty because it was right far more often: see experiments.md.

    Args:
        evidence: by the side that the image was taken for.

    Returns:
        The side, and the flag that tells of the choice.
    """

    def weight(side: Side) -> tuple[bool, float, int, float]:
        found = evidence[side]
        return (found.told == side, found.shape, -found.flags, found.certainty)

    best, other = sorted(evidence, key=weight, reverse=True)
    fits = "medial and lateral fit" if evidence[best].told == best else "medial and lateral fit neither"
    shape = f"shape {evidence[best].shape:+.2f}, 1 is typical; " if evidence[best].shape else ""
    numbers = f"{shape}certainty {evidence[best].certainty:.3f} against {evidence[other].certainty:.3f}"
    return best, f"side unknown: predicted as both, kept {best} ({fits}; {numbers}); give the side"


def contradiction(labels: LabelVolume, plan: CascadePlan, side: Side) -> tuple[str, ...]:
    """Returns a flag where medial and lateral labels lie as on the other side than the given one."""
    told = told_side(labels, plan) if plan.canonical_side != "none" else None
    if told is None or side in ("unknown", told):
        return ()
    return (f"taken for a {side} knee, but medial and lateral came out as in a {told} one",)


def _evidence(
    answers: Mapping[Side, A], plan: CascadePlan, reference: QualityReference | None
) -> dict[Side, Evidence]:
    right, left = BOTH_WAYS
    spoken = 0.0
    if reference and reference.side == plan.canonical_side and reference.labels == plan.labels:
        spoken = shape_speaks_for(
            measure_features(None, answers[right].labels, plan.labels, reference.side == left),
            measure_features(None, answers[left].labels, plan.labels, reference.side == right),
            reference,
        )
    shapes = {right: spoken, left: -spoken}
    return {
        side: Evidence(told_side(found.labels, plan), len(found.flags), found.certainty or 0.0, shapes[side])
        for side, found in answers.items()
    }
