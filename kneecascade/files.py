"""Writing so that nothing is ever half-written, text and JSON above all; hashing files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kneecascade.errors import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside a file, which becomes the file if nothing goes wrong, else goes.

    The folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing_{os.getpid()}_{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes to a temporary name, then renames."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, data: Any) -> None:
    """Writes readable JSON: short lists stay on one line."""
    write_text(path, _pretty(data) + "\n")


def read_json(path: Path) -> Any:
    """Reads JSON.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))  # Windows may write a mark in front
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, endless numbers, endless nesting
        raise InputError(f"{path}: not valid JSON ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def content_hash(paths: list[Path]) -> str:
    """Returns a hash over names, sizes and bytes of the files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()[:16]


def _pretty(data: Any, depth: int = 0) -> str:
    flat = json.dumps(data, allow_nan=False)
    if len(flat) + 2 * depth <= 100 or not data or not isinstance(data, dict | list):
        return flat
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(data, dict):
        rows = [f"{pad}{json.dumps(str(k))}: {_pretty(v, depth + 1)}" for k, v in data.items()]
        return "{\n" + ",\n".join(rows) + f"\n{end}}}"
    return "[\n" + ",\n".join(pad + _pretty(v, depth + 1) for v in data) + f"\n{end}]"
