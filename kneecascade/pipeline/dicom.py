"""Lists the DICOM series of a folder and converts them to NIfTI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kneecascade.console import say, show_table, tracked, warn
from kneecascade.dicom.echoes import COMBINATIONS, check_echo, echo_stacks, read_combined
from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.names import choose, set_names, title
from kneecascade.dicom.pixels import read_stack
from kneecascade.dicom.scan import Found, scan
from kneecascade.dicom.stack import Stack
from kneecascade.errors import KneecascadeError
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel

RECORD = "dicom.json"
Row = dict[str, Any]


def dicom_folder(
    folder: Path,
    output: Path | None = None,
    series: str | None = None,
    echo: str | None = None,
    as_json: bool = False,
) -> int:
    """Shows what a folder tree of DICOM holds; with `output`, writes a NIfTI file a volume.

    A series that cannot be used gets one line that names the slice; the others go on.

    Args:
        folder: a folder tree, or one file.
        output: None to list only; else also takes dicom.json, what came of what.
        series: number, SeriesInstanceUID or part of the description; None for all.
        echo: a number, "rss" or "mean"; None for each echo.
        as_json: print JSON in place of the table.

    Returns:
        How many series are broken or could not be written, plus files whose header cannot be read.
        Localisers, screenshots and reports do not count where there is a volume beside them.

    Raises:
        KneecascadeError: there is nothing to list, or a setting cannot be used.
    """
    check_echo(echo)
    found = scan(folder)
    sets = group(found.frames)
    names = dict(zip(map(id, sets), set_names(sets), strict=True))
    chosen = choose(sets, series)
    rows = [_row(one, names[id(one)]) for one in chosen]
    if as_json:
        say(json.dumps(rows, indent=2))
    else:
        _show(folder, rows)
    failed = _tell_refused(chosen, found)
    if output:
        failed += _convert(chosen, rows, output, echo)
    return failed


def _row(one: ImageSet, name: str) -> Row:
    """Returns what is told about a set, in plain values; sizes are in the order of NIfTI, x, y, z."""
    geometry, refusal = one.stacks[0].geometry, one.refusal
    (rows, columns), first = one.stacks[0].frames[0].shape_yx, one.stacks[0].frames[0]
    spacing = geometry.spacing_mm[::-1] if geometry else (first.spacing_mm_yx or ())[::-1]
    return {
        "number": one.series.number,
        "name": name,
        "description": one.series.description,
        "part": one.stacks[0].part,
        "study_uid": one.series.study_uid,
        "echoes": [
            {"echo": number, "echo_time_ms": stack.echo_time_ms, "series_uid": stack.series.uid}
            for number, stack in zip(one.echoes, one.stacks, strict=True)
        ],
        "size_xyz": [columns, rows, len(one.stacks[0].frames)],
        "spacing_mm_xyz": [round(step, 5) for step in spacing],
        "side": one.side,
        "usable": refusal is None,
        "why_not": refusal.why if refusal else None,
        "short": refusal.what if refusal else None,
    }


def _show(folder: Path, rows: Sequence[Row]) -> None:
    header = ["number", "series", "echoes (ms)", "size", "spacing (mm)", "side", "usable"]
    show_table(f"DICOM in {folder}", header, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    times = [f"{e['echo_time_ms']:g}" if e["echo_time_ms"] is not None else "?" for e in row["echoes"]]
    if len(times) > 3:
        times = [times[0], "...", times[-1]]
    described = " ".join(
        text for text in (row["description"], f"[{row['part']}]" * bool(row["part"])) if text
    )
    return [
        "-" if row["number"] is None else str(row["number"]),
        described or "-",
        f"{len(row['echoes'])}: {', '.join(times)}",
        " x ".join(str(size) for size in row["size_xyz"]),
        " x ".join(f"{step:.4g}" for step in row["spacing_mm_xyz"]) or "-",
        row["side"],
        "yes" if row["usable"] else f"no: {row['short']}",
    ]


def _tell_refused(sets: Sequence[ImageSet], found: Found) -> int:
    """Prints a line for each series that cannot be used; returns how many of them are broken."""
    refused = [(one, one.refusal) for one in sets if one.refusal]
    for one, refusal in refused:
        warn(f"{title(one)}: not used: {refusal.why}")
    for name in found.unreadable:
        warn(f"{name}: not used: its DICOM header cannot be read; copy it again")
    if found.without_image:
        warn(f"{found.without_image} DICOM files hold no image (reports, segmentations); left out")
    broken = sum(not refusal.expected for _, refusal in refused) + len(found.unreadable)
    if len(refused) == len(sets) and not broken:
        warn("no usable volume")
        return 1
    return broken


def _convert(sets: Sequence[ImageSet], rows: Sequence[Row], output: Path, echo: str | None) -> int:
    """Writes the volumes; returns how many could not be written."""
    usable = [(one, row) for one, row in zip(sets, rows, strict=True) if row["usable"]]
    failed = written = 0
    for one, row in tracked(usable, "converting", len(usable)):
        row["files"] = []
        try:
            for stacks, name in _outputs(one, row["name"], echo):
                path = output / f"{name}.nii.gz"
                _write(stacks, path, echo)
                row["files"].append(path.name)
                written += 1
        except KneecascadeError as error:
            failed += 1
            row["error"] = str(error)
            warn(f"{title(one)}: not written: {error}")
    if usable:
        write_json(output / RECORD, {"series": list(rows)})
    say(f"{written} volumes written: {output}")
    return failed


def _outputs(one: ImageSet, name: str, echo: str | None) -> list[tuple[tuple[Stack, ...], str]]:
    """Returns the stacks of each file with its name; the echo is named where there are several."""
    stacks = echo_stacks(one, echo)
    if len(one.stacks) == 1:
        return [(stacks, name)]
    if echo in COMBINATIONS:
        return [(stacks, f"{name}_{echo}")]
    numbers = {id(stack): number for stack, number in zip(one.stacks, one.echoes, strict=True)}
    return [((stack,), f"{name}_echo{numbers[id(stack)]}") for stack in stacks]


def _write(stacks: tuple[Stack, ...], path: Path, echo: str | None) -> None:
    geometry = stacks[0].geometry
    assert geometry is not None
    if len(stacks) == 1:
        write_channel(read_stack(stacks[0]), geometry, path)
    else:
        write_channel(read_combined(stacks, echo or "rss").array[0], geometry, path)
