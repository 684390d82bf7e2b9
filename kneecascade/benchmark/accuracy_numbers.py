"""Finished runs of an accuracy comparison, as numbers over cases with intervals over subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.errors import InputError
from kneecascade.evaluation.comparison import Comparison, compare
from kneecascade.evaluation.measures import (
    CaseScores,
    Measure,
    MeasureSettings,
    Scores,
    all_measures,
)
from kneecascade.evaluation.report import LabelSummary, summarize
from kneecascade.files import read_json

Record = dict[str, Any]
SHOWN = ("dice", "assd_mm", "hd95_mm", "thickness_difference_mm")


@dataclass(frozen=True)
class Entry:
    """One variant at one budget: the mean over its seeds.

    Attributes:
        name: of the variant.
        records: of its runs, one a seed.
        cases: scores by case, means over seeds of the size of each number.
        summary: over cases, intervals over subjects.
        differences: to the first variant at the same budget, by label and measure; None for itself.
    """

    name: str
    records: tuple[Record, ...]
    cases: dict[str, CaseScores]
    summary: dict[str, LabelSummary]
    differences: dict[str, dict[str, Comparison]] | None = None

    @property
    def first(self) -> Record:
        """The record of the first seed."""
        return self.records[0]

    def of_runs(self, part: str, name: str) -> float:
        """Returns a number's mean over the runs, such as seconds_a_case of "prediction"."""
        return float(np.mean([record[part][name] for record in self.records]))

    def training_s(self) -> float:
        """Returns the mean seconds of training, all stages, by the clock of the budget."""
        return float(np.mean([sum(r["training"]["seconds"].values()) for r in self.records]))


@dataclass(frozen=True)
class Numbers:
    """All runs of a folder.

    Attributes:
        by_budget: entries by seconds, the variant that others are compared with first.
        labels: names of the foreground.
        targets: of the plan.
        measures: what was measured, by name.
    """

    by_budget: dict[float, tuple[Entry, ...]]
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    measures: dict[str, Measure]

    @property
    def first(self) -> Record:
        """The record of the first run."""
        return next(iter(self.by_budget.values()))[0].first

    @property
    def judged(self) -> tuple[str, ...]:
        """The labels that pictures show the mean of: cartilage, else the targets."""
        return tuple(name for name in self.labels if "cartilage" in name) or self.targets

    def judged_dice(self, entry: Entry) -> float:
        """Returns the mean Dice of the judged labels."""
        means = [entry.summary[label]["dice"].mean for label in self.judged]
        return float(np.mean([mean for mean in means if mean is not None] or [0.0]))


def read_numbers(folder: Path) -> Numbers:
    """Reads runs/*.json of an output folder.

    Raises:
        InputError: there is no run, or runs do not belong together.
    """
    records = [read_json(path) for path in sorted((folder / "runs").glob("*.json"))]
    if not records:
        raise InputError(f"{folder / 'runs'}: no finished run in it")
    heads = {(r["data_hash"], r["scored"], r["clock"], tuple(r["labels"])) for r in records}
    if len(heads) > 1:
        raise InputError(f"{folder / 'runs'}: runs of different data, cases or clocks do not compare")
    labels = tuple(records[0]["labels"])
    measures = all_measures(MeasureSettings(cartilage=tuple(n for n in labels if "cartilage" in n.lower())))
    budgets = sorted({float(record["seconds"]) for record in records})
    by_budget = {
        seconds: _entries([r for r in records if r["seconds"] == seconds], labels, measures)
        for seconds in budgets
    }
    return Numbers(by_budget, labels, tuple(records[0]["targets"]), measures)


def _entries(
    records: Sequence[Record], labels: Sequence[str], measures: Mapping[str, Measure]
) -> tuple[Entry, ...]:
    order = sorted(records, key=lambda record: (_rank(record), record["seed"]))
    names = list(dict.fromkeys(record["variant"] for record in order))
    entries: list[Entry] = []
    for name in names:
        runs = tuple(record for record in order if record["variant"] == name)
        cases, people = over_seeds([run["cases"] for run in runs], measures), runs[0]["subjects"]
        against = entries[0].cases if entries else None
        differences = None if against is None else compare(cases, against, labels, measures, people)
        entries.append(Entry(name, runs, cases, summarize(cases, labels, people), differences))
    return tuple(entries)


def _rank(record: Record) -> tuple[int, str]:
    """Sorts the variant of the command's first place first, other tools last."""
    return (0 if record["first"] else 2 if record["tool"] != "kneecascade" else 1, record["variant"])


def over_seeds(
    runs: Sequence[Mapping[str, CaseScores]], measures: Mapping[str, Measure]
) -> dict[str, CaseScores]:
    """Returns the mean over seeds of each case's numbers; what a seed does not define is left out.

    Of numbers that are better nearer 0 magnitudes are averaged, so that errors do not cancel.
    """
    found: dict[str, CaseScores] = {}
    for name, labels in runs[0].items():
        found[name] = {
            label: _mean([run[name][label] for run in runs if name in run], scores, measures)
            for label, scores in labels.items()
        }
    return found


def _mean(seeds: Sequence[Scores], wanted: Mapping[str, Any], measures: Mapping[str, Measure]) -> Scores:
    result: Scores = {}
    for key in wanted:
        sized = key in measures and measures[key].better == "nearer 0"
        there = [abs(v) if sized else v for one in seeds if (v := one.get(key)) is not None]
        result[key] = float(np.mean(there)) if there else None
    return result
