"""Patterns of file names: which files belong to which case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kneecascade.errors import DatasetError

FIELDS = ("case", "subject", "visit", "side", "channel")
NAMING = ("subject", "visit", "side")


@dataclass
class Match:
    """Files of one case.

    Attributes:
        channels: a file a channel, by number.
        told: what the first file's name tells, by field.
    """

    channels: dict[int, Path]
    told: dict[str, str]


def matching_files(folder: Path, pattern: str) -> dict[str, Match]:
    """Finds the files below a folder that fit a pattern, by case.

    Args:
        folder: to look in, with all that is below it.
        pattern: of the path below it, with {case}, {subject}, {visit}, {side} and {channel}; * stands for
            anything. Without {case}, subject, visit and side together name the case.

    Raises:
        DatasetError: the pattern is unusable, fits no file, or fits two files of one case and channel.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    shape = _compiled(pattern)
    found: dict[str, Match] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] != "."):
        match = shape.fullmatch(path.relative_to(folder).as_posix())
        if match is None:
            continue
        told = match.groupdict()
        name = told.get("case") or "_".join(told[field] for field in NAMING if told.get(field))
        entry = found.setdefault(re.sub(r"[^A-Za-z0-9_-]+", "-", name), Match({}, told))
        if int(told.get("channel") or 0) in entry.channels:
            raise DatasetError(f"{path}: is the second file of {name}; make the pattern {pattern} stricter")
        entry.channels[int(told.get("channel") or 0)] = path
    if not found:
        raise DatasetError(f"{folder}: no file like {pattern}")
    return found


def _compiled(pattern: str) -> re.Pattern[str]:
    named = re.findall(r"\{(\w*)\}", pattern)
    odd = [field for field in named if field not in FIELDS]
    if odd or len(set(named)) != len(named) or not {"case", *NAMING} & set(named):
        raise DatasetError(
            f"pattern {pattern}: use each of {', '.join('{' + f + '}' for f in FIELDS)} at most once, and at "
            "least one besides {channel}"
        )
    text = re.escape(pattern).replace(r"\*", ".*")
    for field in named:
        kind = r"\d+" if field == "channel" else r"[^/]+?"
        text = text.replace(re.escape("{" + field + "}"), f"(?P<{field}>{kind})")
    return re.compile(text)


def paired(images: dict[str, Match], labels: dict[str, Match]) -> dict[str, tuple[tuple[Path, ...], Path]]:
    """Returns the files of the channels and the label file of each case.

    Raises:
        DatasetError: a case has no image or no label, or cases have different channels.
    """
    alone = sorted(set(images) ^ set(labels))
    if alone:
        which = "no label" if alone[0] in images else "no image"
        raise DatasetError(
            f"{len(alone)} cases have images or labels alone, the first is {alone[0]} ({which}); mend the "
            "patterns, or move these files away"
        )
    first = next(iter(sorted(images)))
    wanted = sorted(images[first].channels)
    for name, match in sorted(images.items()):
        if sorted(match.channels) != wanted:
            raise DatasetError(f"{name}: has the channels {sorted(match.channels)}, {first} has {wanted}")
    return {
        name: (tuple(match.channels[k] for k in wanted), labels[name].channels[0])
        for name, match in images.items()
    }
