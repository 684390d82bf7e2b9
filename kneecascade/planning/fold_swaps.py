"""Exchanges subjects of equal size between folds while grades and sites are spread more evenly by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

LITTLE = 1e-9
Kind = tuple[int, tuple[str, ...]]


def spread_further(
    parts: Sequence[list[str]], sizes: Mapping[str, int], traits: Mapping[str, Sequence[str]]
) -> None:
    """Exchanges subjects of two folds as long as that makes the folds more alike; sizes of folds stay.

    What falls is the sum over folds and traits of squared shares: how often the trait is in the fold over how
    often it is at all. Each exchange lowers it, so there is an end.

    Args:
        parts: the subjects of each fold; changed in place.
        sizes: cases of each subject.
        traits: what is to be spread, of each subject, a word for every case that has it.
    """
    often = Counter(word for part in parts for key in part for word in traits[key])
    counts = [Counter(word for key in part for word in traits[key]) for part in parts]
    better = True
    while better:
        better = False
        for a, b in combinations(range(len(parts)), 2):
            while _exchange(parts[a], parts[b], counts[a], counts[b], often, sizes, traits):
                better = True


def _exchange(
    first: list[str],
    second: list[str],
    ours: Counter[str],
    theirs: Counter[str],
    often: Mapping[str, int],
    sizes: Mapping[str, int],
    traits: Mapping[str, Sequence[str]],
) -> bool:
    """Makes the best exchange between two folds; returns whether there was one that helps."""
    # subjects of a kind are alike here: one of them stands for all
    kinds = [{_kind(key, sizes, traits): key for key in reversed(part)} for part in (first, second)]
    pairs = [(i, j) for i, j in product(kinds[0].values(), kinds[1].values()) if sizes[i] == sizes[j]]
    gains = [_gain(traits[i], traits[j], ours, theirs, often) for i, j in pairs]
    if not gains or max(gains) <= LITTLE:
        return False
    i, j = pairs[gains.index(max(gains))]
    first[first.index(i)], second[second.index(j)] = j, i
    for counts, left, come in ((ours, i, j), (theirs, j, i)):
        counts.subtract(traits[left])
        counts.update(traits[come])
    return True


def _gain(
    leaves: Iterable[str],
    comes: Iterable[str],
    ours: Mapping[str, int],
    theirs: Mapping[str, int],
    often: Mapping[str, int],
) -> float:
    """Returns by how much the sum of squared shares falls where two subjects change places."""
    change = Counter(comes)
    change.subtract(Counter(leaves))
    # (n + d)^2 - n^2 of one fold, (m - d)^2 - m^2 of the other
    return sum(-2 * d * (ours[word] - theirs[word] + d) / often[word] ** 2 for word, d in change.items())


def _kind(key: str, sizes: Mapping[str, int], traits: Mapping[str, Sequence[str]]) -> Kind:
    return sizes[key], tuple(sorted(traits[key]))
