"""Which side a segmented knee is of by its shape, from the limits around the training knees.

What tells a right knee from a left one, such as the longer medial condyle, the fibula's side of the tibia
and the way the patella rides, shows in where the centres of labels lie to each other and in how labels
lean. How much each of these can say is told by a typical training knee and its mirror image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from kneecascade.core.labels import Labels
from kneecascade.evaluation.quality_features import AXES, Features
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.planning.sides import LATERAL, MEDIAL, medial_and_lateral

LEAST_ASYMMETRY = 1e-6
"""Shapes that differ less from their mirror images tell nothing."""
Key = tuple[str, str]


def shape_speaks_for(first: Features, second: Features, reference: QualityReference) -> float:
    """Returns how clearly the first of two answers to one image is the better one by its shape.

    A linear discriminant of independent features: offsets of centres and leans, each weighed with how far
    a typical training knee and its mirror image are apart, over half the believable range. Features that
    one of the answers lacks are left out.

    Args:
        first: of the image taken for one side, measured as a knee of the reference's side.
        second: of the image taken for the other side, likewise.
        reference: made of knees that were brought to one side.

    Returns:
        1 where the answers are as far apart as a typical training knee and its mirror image, 0 where
        neither is better or nothing can be compared, below 0 where the second is better.
    """
    limits = {(limit.check, limit.what): limit for limit in reference.limits}
    spoken = possible = 0.0
    for key, mirrored, sign in _mirrored_features(reference.labels):
        (check, what), limit, image = key, limits.get(key), limits.get(mirrored)
        if limit is None or image is None or limit.low is None or limit.high is None:
            continue
        if what not in first.get(check, {}) or what not in second.get(check, {}):
            continue
        half = (limit.high - limit.low) / 2
        apart = (limit.typical - sign * image.typical) / half
        spoken += apart * (first[check][what] - second[check][what]) / half
        possible += apart**2
    return spoken / possible if possible > LEAST_ASYMMETRY else 0.0


def mirrored_names(names: Sequence[str]) -> dict[str, str]:
    """Returns what each label is in the mirror image: lateral for medial and back, the others themselves.

    A medial label without its lateral one, or the other way round, is left out.
    """
    medial, lateral = medial_and_lateral(names)
    pairs = {_bare(name, MEDIAL): name for name in medial}
    partners = {_bare(name, LATERAL): name for name in lateral}
    found = {name: name for name in names if name not in (*medial, *lateral)}
    for bare in pairs.keys() & partners.keys():
        found |= {pairs[bare]: partners[bare], partners[bare]: pairs[bare]}
    return found


def _bare(name: str, side: re.Pattern[str]) -> str:
    """Returns a label's name without the word, or the letter, that tells its side."""
    lower = name.lower()
    match = side.search(lower)
    assert match is not None
    word = match[0]
    told = next((w for w in ("medial", "lateral", "med", "lat") if word.startswith(w)), word[0])
    return f"{lower[: match.start()]}|{lower[match.start() + len(told) :]}"


def _mirrored_features(labels: Labels) -> Iterator[tuple[Key, Key, int]]:
    """Yields each feature, what it is called in the mirror image, and its sign there."""
    other = mirrored_names(labels.foreground)
    order = {name: k for k, name in enumerate(labels.names)}
    for a, b in combinations(sorted(other, key=order.__getitem__), 2):
        for axis in AXES:
            sign = -1 if axis == "x" else 1
            image = (other[a], other[b])
            if order[image[0]] > order[image[1]]:
                image, sign = image[::-1], -sign
            yield _offset(a, b, axis), _offset(*image, axis), sign
    for name in other:
        for one, two in combinations(AXES, 2):
            yield _lean(name, one, two), _lean(other[name], one, two), -1 if "x" in (one, two) else 1


def _offset(a: str, b: str, axis: str) -> Key:
    return "arrangement", f"{a} to {b} along {axis}"


def _lean(name: str, one: str, two: str) -> Key:
    return "lean", f"{name}, {one} with {two}"
