"""kneecascade.planning.fold_swaps."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from kneecascade.planning.fold_swaps import spread_further


def test_subjects_change_places_where_that_spreads_grades() -> None:
    traits = {"a": ["grade 0"], "b": ["grade 0"], "c": ["grade 1"], "d": ["grade 1"], "e": []}
    parts = [["a", "b", "e"], ["c", "d"]]
    spread_further(parts, dict.fromkeys(traits, 1), traits)
    assert [sorted(Counter(word for key in part for word in traits[key]).items()) for part in parts] == [
        [("grade 0", 1), ("grade 1", 1)]
    ] * 2
    assert [len(part) for part in parts] == [3, 2]


def test_subjects_of_other_size_stay() -> None:
    traits = {"a": ["grade 0", "grade 0"], "b": ["grade 1"], "c": ["grade 1"]}
    parts = [["a"], ["b", "c"]]
    spread_further(parts, {"a": 2, "b": 1, "c": 1}, traits)
    assert parts == [["a"], ["b", "c"]]


def test_nothing_to_spread_changes_nothing() -> None:
    parts = [["a", "b"], ["c"], []]
    spread_further(parts, dict.fromkeys("abc", 1), {key: [] for key in "abc"})
    assert parts == [["a", "b"], ["c"], []]


@pytest.mark.parametrize("seed", range(5))
def test_folds_dealt_at_random_become_alike(seed: int) -> None:
    draw = random.Random(seed)
    traits = {f"p{k}": [f"grade {draw.choice('01234')}", f"site {draw.choice('ABC')}"] for k in range(60)}
    keys = list(traits)
    draw.shuffle(keys)
    parts = [keys[k::5] for k in range(5)]
    spread_further(parts, dict.fromkeys(keys, 1), traits)
    assert sorted(key for part in parts for key in part) == sorted(keys)
    assert {len(part) for part in parts} == {12}
    counts = [Counter(word for key in part for word in traits[key]) for part in parts]
    for word in {word for words in traits.values() for word in words}:
        assert max(count[word] for count in counts) - min(count[word] for count in counts) <= 2
