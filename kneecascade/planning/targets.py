"""Decides which labels are targets, which are thin, which axes may be mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from kneecascade.core.fingerprint import CaseFingerprint, LabelFingerprint
from kneecascade.core.geometry import Float3
from kneecascade.planning.sides import tells_sides_apart

# only a label that is both large and thick is drawn well enough by the coarse stage
LARGE = 10.0  # times the smallest label's volume
THICK_COARSE_VOXELS = 8.0
# a sheet under three voxels tears when it is resampled without precedence
THIN_VOXELS = 3.0
LEFT_RIGHT = 2


def choose_targets(
    names: Sequence[str], cases: Sequence[CaseFingerprint], coarse_mm: Float3, own: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Returns the labels that make the region, in the order of `names`.

    Args:
        names: foreground labels.
        cases: the fingerprint.
        coarse_mm: spacing of the coarse stage.
        own: the choice in dataset.json, which goes before the rule.

    Returns:
        `own`, else all labels but those with a median volume over ten times the smallest label's and
        an inscribed sphere of eight coarse voxels or more (such as bone shafts). Labels that no case
        holds are no targets, unless there are no others.
    """
    if own is not None:
        return tuple(name for name in names if name in own)
    found = {name: present(name, cases) for name in names}
    volumes = {name: median(label.volume_mm3 for label in some) for name, some in found.items() if some}
    if not volumes:
        return tuple(names)
    smallest = min(volumes.values())
    stay = {
        name
        for name, volume in volumes.items()
        if volume > LARGE * smallest and _thickness(found[name]) >= THICK_COARSE_VOXELS * max(coarse_mm)
    }
    return tuple(name for name in names if name in volumes and name not in stay)


def thin_labels(
    names: Sequence[str], cases: Sequence[CaseFingerprint], spacing_mm: Float3
) -> tuple[str, ...]:
    """Returns the labels whose median thickness is under three voxels of the coarsest axis."""
    found = {name: present(name, cases) for name in names}
    most = THIN_VOXELS * max(spacing_mm)
    return tuple(name for name, some in found.items() if some and _thickness(some) < most)


def mirror_axes(names: Sequence[str]) -> tuple[int, ...]:
    """Returns the axes augmentation may mirror: left-right, the way left knees mirror right ones.

    None where a label tells sides apart (medial, lateral, left, right and their abbreviations):
    the mirrored image would carry the wrong label. Foot-head and front-back are never mirrored.
    """
    return () if tells_sides_apart(names) else (LEFT_RIGHT,)


def present(name: str, cases: Sequence[CaseFingerprint]) -> list[LabelFingerprint]:
    """Returns a label's measurements in the cases that hold it."""
    return [label for case in cases for label in case.labels if label.name == name and label.volume_mm3 > 0]


def _thickness(labels: Sequence[LabelFingerprint]) -> float:
    return median(label.thickness_mm for label in labels)
