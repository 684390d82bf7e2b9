"""Held-out cases segmented in the ways that a user may come upon: in tiles, and on the whole image."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kneecascade.console import say, show_table, tracked
from kneecascade.core.case import Case
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.evaluation.report import statistic
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.inference.cascade import Cascade
from kneecascade.inference.stage import Limits

Record = dict[str, Any]
Dice = dict[str, float | None]
MOST_CASES = 4
WAYS = ("region", "tiles", "whole image")
"""As kc_predict does; the same in tiles; the fine stage on the whole image, in tiles: the last fallback."""
TOLERANCE = 0.005
"""Tiles and one forward should give a Dice within this."""


def try_other_ways(cascade: Cascade, cases: Sequence[Case], records: Mapping[str, Record]) -> Record:
    """Segments some cases in tiles, and whole, and scores both beside what the validation found.

    Takes up to four cases, evenly spread; stops early once it took as long as the validation itself.

    Args:
        cascade: of the fold.
        cases: held-out cases with a reference.
        records: of these cases in the validation, with "dice", "region" and "seconds".

    Returns:
        Dice of each way by case, means by label, the largest mean difference of tiles from one forward.
    """
    patience_s = sum(record["seconds"]["total"] for record in records.values())
    tiles = replace(cascade, limits=Limits(0.0, cascade.limits.step_size))
    count = min(MOST_CASES, len(cases))
    chosen = [cases[k * len(cases) // count] for k in range(count)]
    found: dict[str, dict[str, Dice]] = {}
    start = time.perf_counter()
    for case in tracked(chosen, "in tiles, and whole", count):
        if found and time.perf_counter() - start > patience_s:
            break
        found[case.name] = _both(tiles, case, records[case.name])
    one_forward = [name for name in found if not records[name]["region"]["in_tiles"]]
    seconds = round(time.perf_counter() - start, 3)
    return {**_summarize(found, one_forward, cascade.plan), "seconds": seconds}


def show_other_ways(tried: Record) -> None:
    """Prints the table of `try_other_ways`."""
    rows = []
    for label, dice in tried["dice"].items():
        difference = tried["tiles_minus_one_forward"][label]
        apart = "-" if difference is None else f"{difference:+.4f}"
        rows.append([label, *(_shown(dice[way]["mean"]) for way in WAYS), apart])
    names = tried["cases"]
    title = f"Dice on {len(names)} of these cases in other ways"
    show_table(title, ["label", *WAYS, "tiles - one forward"], rows)
    largest = tried["largest_difference"]
    if largest is not None:
        verdict = "within" if largest <= TOLERANCE else "MORE THAN"
        say(f"tiles differ from one forward by {largest:.4f} at most, {verdict} {TOLERANCE}")


def _both(tiles: Cascade, case: Case, record: Record) -> dict[str, Dice]:
    assert case.label is not None
    volume, reference = read_volume(case.images), read_labels(case.label)
    answers = {"region": record["dice"]["cascade"]}
    for way, whole in (("tiles", False), ("whole image", True)):
        result = tiles.predict(volume, case.name, whole=whole, side=case.side)
        answers[way] = dice_per_label(reference.array, result.labels.array, tiles.plan.labels)
    return answers


def _summarize(found: Mapping[str, dict[str, Dice]], one_forward: Sequence[str], plan: CascadePlan) -> Record:
    dice, differences = {}, {}
    for label in plan.labels.foreground:
        dice[label] = {way: to_plain(statistic(case[way][label] for case in found.values())) for way in WAYS}
        pairs = [(found[name]["tiles"][label], found[name]["region"][label]) for name in one_forward]
        differences[label] = statistic(a - b for a, b in pairs if a is not None and b is not None).mean
    there = [abs(value) for value in differences.values() if value is not None]
    return {
        "cases": list(found),
        "dice": dice,
        "tiles_minus_one_forward": differences,
        "largest_difference": max(there, default=None),
        "by_case": dict(found),
    }


def _shown(dice: float | None) -> str:
    return "-" if dice is None else f"{dice:.3f}"
