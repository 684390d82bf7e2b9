"""Spoils images in known ways, segments them again and asks whether flags tell the failed ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from kneecascade.console import say, show_table, tracked
from kneecascade.core.case import Side
from kneecascade.evaluation.corruption import OF_BOTH, OF_IMAGES, Spoiled, on_canonical_grid
from kneecascade.evaluation.overlap import dice_per_label
from kneecascade.evaluation.report import statistic
from kneecascade.files import write_json
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.inference.cascade import Cascade
from kneecascade.inference.sides import side_taken
from kneecascade.pipeline.quality import Judge
from kneecascade.pipeline.quality_sides import SideSource, known_sides
from kneecascade.pipeline.quality_trial import pairs_with_images

WAYS = {**OF_IMAGES, **OF_BOTH}
SOUND = "sound"
HARM = 0.1
"""A fall in the mean Dice of the targets that counts as harm."""


@dataclass(frozen=True)
class Answer:
    """One image, sound or spoiled, segmented.

    Attributes:
        case: its name.
        way: what was done to it.
        dice: mean over the targets; 0 where nothing was right.
        doubt: as the review list sorts by.
        checks: that flagged it; "cascade" for the cascade's own flags.
    """

    case: str
    way: str
    dice: float
    doubt: float
    checks: tuple[str, ...]


def repredict_folder(
    cascade: Cascade,
    judge: Judge,
    references: Path,
    images: Path,
    output: Path | None = None,
    source: SideSource | None = None,
) -> list[Answer]:
    """Segments every image as it is and spoiled in every known way; prints and writes what flags tell.

    Args:
        cascade: the model.
        judge: its limits.
        references: folder of reference segmentations.
        images: folder of their images.
        output: where the numbers go; None for quality_repredict.json beside the references.
        source: where the sides of the knees come from; None for the defaults.

    Raises:
        InputError: a folder is missing, or a case has no image.
        ImageError: a file cannot be read.
    """
    items = pairs_with_images(references, images, len(cascade.plan.channel_names))
    sides = known_sides(references, images, [name for name, _, _ in items], source or SideSource())
    answers: list[Answer] = []
    for name, path, channels in tracked(items, "segmenting", len(items)):
        sound = on_canonical_grid(read_volume(channels), read_labels(path))
        for way in (SOUND, *WAYS):
            # the same case is spoiled the same way in every run, whatever other cases there are
            generator = np.random.default_rng(zlib.crc32(f"{name} {way}".encode()))
            spoiled = sound if way == SOUND else WAYS[way](sound, cascade.plan.labels, generator)
            answers.append(_answer(name, way, spoiled, cascade, judge, sides[name]))
    _show(answers)
    path = output or references / "quality_repredict.json"
    write_json(path, {"spearman": order_correlation(answers), "answers": [vars(a) for a in answers]})
    say(f"every answer: {path}")
    return answers


def order_correlation(answers: Sequence[Answer]) -> float | None:
    """Returns Spearman's correlation of doubt with Dice: -1 where the worst come first; None if constant."""
    doubts, dice = [a.doubt for a in answers], [a.dice for a in answers]
    if len(set(doubts)) < 2 or len(set(dice)) < 2:
        return None
    return round(float(stats.spearmanr(doubts, dice).statistic), 3)


def _answer(name: str, way: str, case: Spoiled, cascade: Cascade, judge: Judge, side: Side) -> Answer:
    plan = cascade.plan
    result = cascade.predict(case.volume, name, side=side)
    taken = side_taken(result.trace, plan, side)
    record: Mapping[str, Any] = judge.record(case.volume, result.labels, result.sureness, result.flags, taken)
    dice = dice_per_label(case.labels, result.labels.array, plan.labels)
    checks = {flag["check"] for flag in record["quality"]["flags"]}
    return Answer(
        case=name,
        way=way,
        dice=round(statistic(dice[target] for target in plan.targets).mean or 0.0, 4),
        doubt=record["quality"]["doubt"],
        checks=tuple(sorted(checks | ({"cascade"} if result.flags else set()))),
    )


def _show(answers: Sequence[Answer]) -> None:
    sound = {a.case: a for a in answers if a.way == SOUND}
    rows = []
    for way in (SOUND, *WAYS):
        mine = [a for a in answers if a.way == way]
        harmed = [a for a in mine if a.dice < sound[a.case].dice - HARM]
        more = [a for a in mine if a.doubt > sound[a.case].doubt]
        told = [a for a in harmed if a in more]
        rows.append(
            [
                way,
                f"{np.mean([a.dice for a in mine]):.3f}",
                f"{np.median([a.doubt for a in mine]):.1f}",
                f"{len(more)} of {len(mine)}",
                f"{len(told)} of {len(harmed)}",
            ]
        )
    head = [
        "done to the image",
        "Dice",
        "median doubt",
        "more doubt than sound",
        f"of those that lost {HARM:g}",
    ]
    show_table("Segmented again", head, rows)
    say(f"Spearman's correlation of doubt with Dice over all {len(answers)}: {order_correlation(answers)}")
