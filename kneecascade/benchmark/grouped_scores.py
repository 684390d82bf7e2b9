"""Scores of predictions by the labels of a protocol, where several labels may count as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kneecascade.core.labels import Labels
from kneecascade.evaluation.report import Statistic, statistic
from kneecascade.evaluation.score import score_masks
from kneecascade.imaging.files import grid_difference, read_labels
from kneecascade.planning.processes import map_in_processes

METRICS = {"dice": "dice", "assd": "assd_mm"}
"""Metrics of a protocol by the names that they have in `evaluation`."""

Scores = dict[str, dict[str, float | None]]
"""Of each printed label: Dice from 0 to 1, average symmetric surface distance in mm."""


@dataclass(frozen=True)
class Scored:
    """One case to score.

    Attributes:
        name: of the case.
        reference: its label file.
        predicted: the predicted one.
    """

    name: str
    reference: Path
    predicted: Path


def printed_groups(labels: Labels, groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, ...]]:
    """Returns the values of each printed label that the data set has; without groups, each label's own."""
    wanted = groups or {name: (name,) for name in labels.foreground}
    values = dict(zip(labels.names, labels.values, strict=True))
    found = {name: tuple(values[part] for part in parts if part in values) for name, parts in wanted.items()}
    return {name: values_of for name, values_of in found.items() if values_of}


def score_cases(
    cases: Sequence[Scored], groups: Mapping[str, tuple[int, ...]], workers: int
) -> dict[str, Scores | str]:
    """Scores cases in processes; a case that cannot be scored has the reason in place of scores."""
    results = map_in_processes(partial(score_case, groups=groups), cases, workers, "scoring")
    return {case.name: result for case, result in zip(cases, results, strict=True)}


def score_case(case: Scored, groups: Mapping[str, tuple[int, ...]]) -> Scores | str:
    """Scores one case, each group of label values as one mask."""
    if not case.predicted.is_file():
        return "no prediction"
    reference, predicted = read_labels(case.reference), read_labels(case.predicted)
    difference = grid_difference(reference.geometry, predicted.geometry)
    if difference:
        return f"{difference} differs from the reference's"
    spacing, scores = reference.geometry.spacing_mm, {}
    for name, values in groups.items():
        masks = np.isin(reference.array, values), np.isin(predicted.array, values)
        measured = score_masks(*masks, spacing, ())
        scores[name] = {short: measured[long] for short, long in METRICS.items()}
    return scores


def means(cases: Mapping[str, Scores | str], groups: Mapping[str, object]) -> dict[str, dict[str, Statistic]]:
    """Returns mean, standard deviation and count over the cases that were scored."""
    scored = [scores for scores in cases.values() if not isinstance(scores, str)]
    return {
        name: {metric: statistic(scores[name][metric] for scores in scored) for metric in METRICS}
        for name in groups
    }
