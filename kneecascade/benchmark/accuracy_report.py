"""The accuracy comparison as tables on the screen, a page in Markdown and a picture."""

from __future__ import annotations

import re
from pathlib import Path

from kneecascade.benchmark.accuracy_numbers import SHOWN, Entry, Numbers, read_numbers
from kneecascade.benchmark.accuracy_picture import draw_accuracy
from kneecascade.benchmark.marked_section import markdown_table, write_section
from kneecascade.console import say, show_table
from kneecascade.evaluation.comparison import Comparison
from kneecascade.evaluation.report import Summary
from kneecascade.files import write_text

PAGE, PICTURE = "accuracy.md", "accuracy.png"
BUSY = 1.5
"""Programs that wait for a processor, over processors; the run's own is one of them."""


def report(output: Path, page: Path | None = None) -> None:
    """Shows the tables of all finished runs; writes accuracy.md and accuracy.png.

    Args:
        output: folder with runs/.
        page: a page whose section `accuracy DATASET` is replaced; the picture goes to pictures/ beside it.

    Raises:
        InputError: there is no run, or the page has no such section.
    """
    numbers = read_numbers(output)
    for seconds, entries in numbers.by_budget.items():
        title = f"Dice after {_time(seconds)} of training"
        means = [[cell.split(" [")[0] for cell in row] for row in _rows(numbers, entries, "dice")]
        show_table(title, ["", *numbers.labels], means)
    draw_accuracy(output / PICTURE, numbers)
    write_text(output / PAGE, section(numbers, PICTURE) + "\n")
    if page:
        dataset = numbers.first["dataset"]
        name = f"accuracy_{dataset}.png"
        draw_accuracy(page.parent / "pictures" / name, numbers)
        write_section(page, f"accuracy {dataset}", section(numbers, f"pictures/{name}"))
    say(f"Everything is in {output}")


def section(numbers: Numbers, picture: str) -> str:
    """Returns the page's section; `picture` is its path from the page."""
    parts = [_conditions(numbers)]
    for seconds, entries in numbers.by_budget.items():
        parts.append(f"**{_time(seconds)} of training**")
        parts.append(_runs(entries))
        for measure in SHOWN:
            if measure in numbers.measures:
                parts.append(_measure(numbers, entries, measure))
        parts += [_differences(numbers, entry, entries[0]) for entry in entries[1:]]
    parts.append(f"![Dice against training time and cost]({picture})")
    return "\n\n".join(parts)


def _conditions(numbers: Numbers) -> str:
    first = numbers.first
    entries = [entry for group in numbers.by_budget.values() for entry in group]
    cases, people = entries[0].cases, set(first["subjects"].values())
    commands = "\n".join(dict.fromkeys(_anywhere(r["command"]) for e in entries for r in e.records))
    which = {
        "test": "test cases{}, which chose nothing",
        "held-out": "held-out cases of fold 0{}, on which the margin was chosen: to choose by, not to quote",
    }[first["scored"]]
    clock = "of the wall clock" if first["clock"] == "wall" else "computed by the process (processor time)"
    which = which.format(f" of {len(people)} people" if people else "")
    start = "" if first["coarse"] is None else " All share one coarse stage; the time is the fine stage's."
    return (
        f"```\n{commands}\n```\n\n{first['dataset']}, {first['training_cases']} training cases of fold 0; "
        f"scored on {len(cases)} {which}. Seconds {clock}; {first['processors']} processors.{start} "
        "Mean and 95 % interval from drawing subjects; differences are paired by case."
        f"{_busy(entries)}"
    )


def _busy(entries: list[Entry]) -> str:
    load = max(_load(entry) for entry in entries) / entries[0].first["processors"]
    if load < BUSY:
        return ""
    return (
        f" The machine was busy, up to {load:.0f} programs a processor; it took longer to predict for that."
    )


def _load(entry: Entry) -> float:
    ends = [(r["training"]["load_before"], r["training"]["load_after"]) for r in entry.records]
    return float(max(max(pair) for pair in ends))


def _anywhere(command: str) -> str:
    """Returns a command without the folders of the machine it ran on."""
    return re.sub(r"(?<=[\s=])/\S*/", "", command)


def _runs(entries: tuple[Entry, ...]) -> str:
    header = [
        "",
        "what",
        "steps",
        "training, s",
        "seeds",
        "load",
        "prediction, s a case",
        "GMAC a case",
        "region misses",
    ]
    rows = []
    for entry in entries:
        training = entry.first["training"]
        steps = ", ".join(f"{stage} {n}" for stage, n in training["steps"].items())
        cost = entry.of_runs("prediction", "seconds_a_case"), entry.of_runs("prediction", "gmacs_a_case")
        texts = (f"{entry.training_s():.0f}", str(len(entry.records)), f"{_load(entry):.1f}")
        costs = (f"{cost[0]:.1f}", f"{cost[1]:.0f}", _misses(entry))
        rows.append([entry.name, entry.first["words"], steps, *texts, *costs])
    return markdown_table(header, rows)


def _misses(entry: Entry) -> str:
    found = [r["prediction"].get("region") for r in entry.records]
    regions = [region for region in found if region is not None]
    if not regions:
        return "-"
    missed, flagged, n = (sum(region[key] for region in regions) for key in ("misses", "flagged", "n"))
    return f"{missed}/{n}" + (f", {flagged} flagged" if missed else "")


def _measure(numbers: Numbers, entries: tuple[Entry, ...], measure: str) -> str:
    labels = [name for name in numbers.labels if measure in entries[0].summary[name]]
    meaning = numbers.measures[measure]
    unit = f", {meaning.unit}" if meaning.unit else ""
    size = ", mean size" if meaning.better == "nearer 0" else ""
    return markdown_table([f"{meaning.title}{unit}{size}", *labels], _rows(numbers, entries, measure))


def _rows(numbers: Numbers, entries: tuple[Entry, ...], measure: str) -> list[list[str]]:
    labels = [name for name in numbers.labels if measure in entries[0].summary[name]]
    return [[entry.name, *(_mean(entry.summary[label][measure]) for label in labels)] for entry in entries]


def _differences(numbers: Numbers, entry: Entry, first: Entry) -> str:
    found = entry.differences or {}
    shown = [name for name in SHOWN if any(name in found[label] for label in found)]
    rows = [
        [label, *(_difference(found[label].get(name)) for name in shown)]
        for label in numbers.labels
        if label in found
    ]
    titles = [_title(numbers, name) for name in shown]
    return markdown_table([f"{entry.name} less {first.name}", *titles], rows)


def _title(numbers: Numbers, name: str) -> str:
    meaning = numbers.measures[name]
    return f"{meaning.title}, {meaning.unit}" if meaning.unit else meaning.title


def _mean(summary: Summary) -> str:
    if summary.mean is None:
        return "-"
    between = "" if summary.low is None else f" [{summary.low:.3f}, {summary.high:.3f}]"
    return f"{summary.mean:.3f}{between}"


def _difference(found: Comparison | None) -> str:
    if found is None or found.difference is None:
        return "-"
    between = "" if found.low is None else f" [{found.low:+.3f}, {found.high:+.3f}]"
    return f"{found.difference:+.3f}{between}"


def _time(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
