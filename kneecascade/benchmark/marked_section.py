"""A section of a documentation page between two marks, replaced by what a benchmark writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kneecascade.errors import InputError
from kneecascade.files import write_text


def marks(name: str) -> tuple[str, str]:
    """Returns the two lines that a section stands between."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def write_section(file: Path, name: str, section: str) -> None:
    """Replaces what stands between the marks of a name.

    Raises:
        InputError: the page is missing or has no such marks.
    """
    begin, end = marks(name)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{file}: no such page") from error
    pattern = re.escape(begin) + ".*" + re.escape(end)
    if not re.search(pattern, text, re.S):
        raise InputError(f"{file}: has no lines {begin} and {end} to write between")
    new = f"{begin}\n{section}\n{end}"
    write_text(file, re.sub(pattern, lambda _: new, text, flags=re.S))


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
