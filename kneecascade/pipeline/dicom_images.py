"""The cases that a folder of DICOM holds, and their results as DICOM."""

from __future__ import annotations

from pathlib import Path

from kneecascade.console import say, warn
from kneecascade.core.case import LabelVolume, Side
from kneecascade.core.plan import CascadePlan
from kneecascade.dicom.echoes import COMBINATIONS, check_echo, echo_stacks
from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.names import choose, set_names, title
from kneecascade.dicom.scan import scan
from kneecascade.dicom.segmentation import write_segmentation
from kneecascade.dicom.source import Source, make_source
from kneecascade.errors import InputError, SettingsError


def find_sources(inputs: Path, channels: int, series: str | None, echo: str | None) -> dict[str, Source]:
    """Lists the cases of a folder tree of DICOM, or of one file, by the names of their results.

    A broken series is a case too, one that fails when it is read; localisers and the like are left out.

    Args:
        inputs: the folder or file.
        channels: of the model; with several, each echo is one.
        series: number, SeriesInstanceUID or part of the description; None for all.
        echo: a number, "rss" or "mean"; None for root-sum-of-squares, said in a line.

    Raises:
        InputError: there is nothing to segment.
        SettingsError: the echo cannot be used.
    """
    check_echo(echo)
    if echo and channels > 1:
        raise SettingsError(f"--echo {echo}: the model takes {channels} channels, each an echo; leave it out")
    found = scan(inputs)
    for name in found.unreadable:
        warn(f"{name}: its DICOM header cannot be read; left out")
    sets = group(found.frames)
    names = dict(zip(map(id, sets), set_names(sets), strict=True))
    wanted = [one for one in choose(sets, series) if not _left_out(one)]
    if not wanted:
        raise InputError(f"{inputs}: no DICOM series that can be segmented; kc_dicom lists them")
    sources = {names[id(one)]: make_source(one, echo, channels) for one in wanted}
    for source in sources.values():
        _tell_echoes(source, echo)
        if source.found.side == "contradictory":
            warn(f"{title(source.found)}: its tags disagree about the side; taken as unknown")
    return sources


def write_dicom_seg(
    labels: LabelVolume, plan: CascadePlan, source: Source, path: Path, side: Side = "unknown"
) -> None:
    """Writes labels as a DICOM segmentation; without a label, a line says that there is none.

    Args:
        labels: on the grid of the source.
        plan: says the label names.
        source: the images it refers to; where echoes were combined, those of the first.
        path: the .dcm file.
        side: of the knee; left and right are coded.

    Raises:
        KneecascadeError: it cannot be written.
    """
    if not labels.array.any():
        warn(f"{path.name}: not written: no voxel has a label, and DICOM knows no empty segmentation")
        return
    combined = source.echo in (*COMBINATIONS, "channels")
    stack = echo_stacks(source.found, None if combined else source.echo)[0]
    write_segmentation(labels, plan.labels, stack, path, plan.dataset_name, side)


def _left_out(found: ImageSet) -> bool:
    if found.refusal is None or not found.refusal.expected:
        return False
    say(f"{title(found)}: left out: {found.refusal.why}")
    return True


def _tell_echoes(source: Source, echo: str | None) -> None:
    number = len(source.found.stacks)
    if number > 1 and echo is None and source.echo == "rss":
        how = "combined as root-sum-of-squares; --echo 1, 2, mean choose otherwise"
        say(f"{title(source.found)}: {number} echoes, {how}")
