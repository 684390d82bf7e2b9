"""Derives how regions are made, and which regions are believable, from the training cases."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from kneecascade.core.fingerprint import CaseFingerprint
from kneecascade.core.geometry import Float3
from kneecascade.core.plan import RegionPlan
from kneecascade.planning.spacing import three
from kneecascade.planning.targets import present

# over 50 real knees the box of all cartilage with 8 mm margin is a 3.3th of the volume; a coarse
# border is off by a voxel or two, so 8 mm leaves room for what the coarse stage misses
MARGIN_MM = 8.0
# a piece under 5 % of the smallest label seen in training is taken for a stray one
SMALLEST_PIECE = 0.05
# outside these ranges around the training cases a region is doubted
LEAST_VOLUME, MOST_VOLUME = 0.5, 2.0
LEAST_EXTENT, MOST_EXTENT = 0.6, 1.4


def region_plan(
    targets: Sequence[str], cases: Sequence[CaseFingerprint], coarse_mm: Float3, image_mm: Float3
) -> RegionPlan:
    """Returns the rules of the region.

    Args:
        targets: labels that make the region.
        cases: the fingerprint.
        coarse_mm: spacing of the coarse stage; the margin is one of its voxels at least.
        image_mm: median edge lengths of the images; the margin is not larger than what lies between
            the median region and the edge of the image, on the axis where that is most.

    Returns:
        Believable volumes run from half the smallest to twice the largest training volume, extents
        from .6 of the smallest to 1.4 of the largest. A label that some case lacks may be absent:
        its least volume is 0.
    """
    found = [[label.volume_mm3 for label in present(name, cases)] for name in targets]
    image = image_mm[0] * image_mm[1] * image_mm[2]
    extents = target_extents(targets, cases) or [image_mm]
    return RegionPlan(
        margin_mm=_margin(median_of(extents), coarse_mm, image_mm),
        min_component_mm3=tuple(_round(SMALLEST_PIECE * min(v)) if v else 0.0 for v in found),
        min_volume_mm3=tuple(_round(LEAST_VOLUME * min(v)) if len(v) == len(cases) else 0.0 for v in found),
        max_volume_mm3=tuple(_round(MOST_VOLUME * max(v)) if v else _round(image) for v in found),
        min_extent_mm=three(_round(LEAST_EXTENT * min(e[k] for e in extents)) for k in range(3)),
        max_extent_mm=three(_round(MOST_EXTENT * max(e[k] for e in extents)) for k in range(3)),
        max_label_extent_mm=tuple(_most_extent(name, cases) or image_mm for name in targets),
        min_gap_mm=_least_gaps(targets, cases),
    )


def _most_extent(name: str, cases: Sequence[CaseFingerprint]) -> Float3 | None:
    """Returns the largest believable extent of one label; None where no case has it."""
    extents = [label.extent_mm for label in present(name, cases)]
    if not extents:
        return None
    return three(_round(MOST_EXTENT * max(e[k] for e in extents)) for k in range(3))


def target_extents(targets: Sequence[str], cases: Sequence[CaseFingerprint]) -> list[Float3]:
    """Returns the edge lengths (z, y, x) of the box around all targets, of the cases that hold any."""
    corners = _target_corners(targets, cases)
    return [three(b - a for a, b in zip(start, stop, strict=True)) for start, stop, _ in corners]


def _target_corners(
    targets: Sequence[str], cases: Sequence[CaseFingerprint]
) -> list[tuple[Float3, Float3, Float3]]:
    """Returns start and stop of the box around all targets and the edges of the image, in mm, a case each."""
    corners = []
    for case in cases:
        boxes = [label for label in case.labels if label.name in targets and label.volume_mm3 > 0]
        if boxes:
            start = three(min(b.box_start_mm[k] for b in boxes) for k in range(3))
            stop = three(max(b.box_start_mm[k] + b.extent_mm[k] for b in boxes) for k in range(3))
            image = three(n * mm for n, mm in zip(case.shape_zyx, case.spacing_mm, strict=True))
            corners.append((start, stop, image))
    return corners


def _least_gaps(targets: Sequence[str], cases: Sequence[CaseFingerprint]) -> tuple[float, ...]:
    """Returns the least distance of the targets from each side of the image: foot, head, front and so on."""
    corners = _target_corners(targets, cases)
    if not corners:
        return ()
    gaps = []
    for k in range(3):
        gaps.append(min(start[k] for start, _, _ in corners))
        gaps.append(min(image[k] - stop[k] for _, stop, image in corners))
    return tuple(_round(max(0.0, gap)) for gap in gaps)


def median_of(extents: Sequence[Float3]) -> Float3:
    """Returns the median of edge lengths, axis by axis."""
    return three(median(extent[k] for extent in extents) for k in range(3))


def _margin(region_mm: Float3, coarse_mm: Float3, image_mm: Float3) -> float:
    around = max((whole - part) / 2 for whole, part in zip(image_mm, region_mm, strict=True))
    return _round(max(max(coarse_mm), min(MARGIN_MM, around)))


def _round(value: float) -> float:
    return float(f"{value:.4g}")
