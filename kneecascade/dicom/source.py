"""One case that comes of DICOM images: which echoes, how they are read, what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneecascade.core.case import Side, Volume
from kneecascade.dicom.echoes import COMBINATIONS, echo_stacks, read_channels, read_combined
from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.scan import frames_in
from kneecascade.errors import ImageError


@dataclass(frozen=True)
class Source:
    """Echoes that become the channels of a case.

    Attributes:
        found: the set; may be a refused one, which then cannot be read.
        echo: a number, "rss" or "mean"; "channels" makes each echo a channel.
    """

    found: ImageSet
    echo: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the set once."""
        return tuple(dict.fromkeys(frame.path for stack in self.found.stacks for frame in stack.frames))

    @property
    def side(self) -> Side:
        """What the tags say, as far as it decides for one knee."""
        told = self.found.side
        return told if told == "left" or told == "right" else "unknown"


def make_source(found: ImageSet, echo: str | None, channels: int) -> Source:
    """Chooses what becomes of the echoes.

    Args:
        found: a set.
        echo: what was asked for; None for root-sum-of-squares.
        channels: of the model; with several, each echo is one.
    """
    return Source(found, "channels" if channels > 1 else echo or "rss")


def read_source(source: Source, one_knee: bool = False) -> Volume:
    """Reads the channels.

    Args:
        source: what to read.
        one_knee: somebody said which knee it is, whatever its tags say.

    Raises:
        ImageError: the set is refused, shows both knees, lacks the echo, or a slice cannot be decoded.
    """
    if source.found.side == "both" and not one_knee:
        raise ImageError(
            "its tags say that it shows both knees; split the image, or give --side where it shows but one"
        )
    if source.echo == "channels":
        return read_channels(echo_stacks(source.found, None))
    stacks = echo_stacks(source.found, source.echo)
    return read_combined(stacks, source.echo if source.echo in COMBINATIONS else "rss")


def source_record(source: Source) -> dict[str, Any]:
    """Returns what is written down: enough to read the same image again with `read_again`."""
    stacks = source.found.stacks
    return {
        "study_uid": source.found.series.study_uid,
        "series_uid": source.found.series.uid,
        "series_number": source.found.series.number,
        "series_description": source.found.series.description,
        "part": stacks[0].part,
        "echoes": [
            {"echo": number, "echo_time_ms": stack.echo_time_ms, "series_uid": stack.series.uid}
            for number, stack in zip(source.found.echoes, stacks, strict=True)
        ],
        "echo": source.echo if len(stacks) > 1 else None,
        "side": source.found.side,
    }


def read_again(files: Sequence[Path], record: Mapping[str, Any]) -> Volume:
    """Reads an image that `source_record` tells of.

    Args:
        files: the files of its set.
        record: what `source_record` returned.

    Raises:
        ImageError: the files are no longer what they were.
    """
    sets = [one for one in group(frames_in(files)) if one.series.uid == record["series_uid"]]
    if len(sets) > 1:
        sets = [one for one in sets if one.stacks[0].part == record["part"]]
    if not sets:
        place = files[0].parent if files else "no files"
        raise ImageError(f"{place}: no longer holds series {record['series_uid']}")
    return read_source(Source(sets[0], record["echo"] or "rss"), one_knee=True)
