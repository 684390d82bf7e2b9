"""What is shown on the terminal: messages, tables, progress bars with the time left."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

T = TypeVar("T")
logger = logging.getLogger("kneecascade")
# without a handler of its own, logging would print warnings to stderr a second time
logger.addHandler(logging.NullHandler())


def console(stderr: bool = False) -> Console:
    """Returns a rich console; rich is imported here so that --help stays quick."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, highlight=False)


def say(message: str) -> None:
    """Prints one line for the user and writes it to the log file, if one is open."""
    console().print(message, markup=False)
    logger.info(message)


def warn(message: str) -> None:
    """Prints one warning line on stderr and writes it to the log file, if one is open."""
    console(stderr=True).print(f"warning: {message}", style="yellow", markup=False)
    logger.warning(message)


def show_table(title: str, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; every cell is text already."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for k, name in enumerate(header):
        table.add_column(name, justify="left" if k == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
        logger.info("  ".join(row))
    console().print(table)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yields a rich progress display: what, bar, done/total, elapsed, time left."""
    from rich import progress as bars

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.fields[note]}"),
    )
    quiet = not sys.stderr.isatty()
    with bars.Progress(*columns, console=console(stderr=True), disable=quiet) as display:
        yield display


def tracked(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Yields the items while a bar named `description` moves towards `total`."""
    with progress_bar() as display:
        task = display.add_task(description, total=total, note="")
        for item in items:
            yield item
            display.advance(task)


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Appends every message to `path` while open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    # batchgenerators gives the root logger a handler, which would show every line a second time
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = before
        logger.removeHandler(handler)
        handler.close()
