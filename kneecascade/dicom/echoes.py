"""Which echoes of a set are wanted: one, each, or a combination."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kneecascade.core.case import Volume
from kneecascade.dicom.grouping import ImageSet
from kneecascade.dicom.pixels import read_stack
from kneecascade.dicom.stack import Stack
from kneecascade.errors import ImageError, SettingsError

COMBINATIONS = ("rss", "mean")


def check_echo(echo: str | None) -> None:
    """Checks what --echo was given.

    Raises:
        SettingsError: it is neither a number above 0 nor a combination.
    """
    if echo is not None and echo not in COMBINATIONS and not (echo.isdigit() and int(echo) > 0):
        raise SettingsError(f"--echo {echo}: give the number of an echo, rss or mean")


def echo_stacks(found: ImageSet, echo: str | None) -> tuple[Stack, ...]:
    """Returns the stacks that `echo` asks for; all of them for None, "rss" and "mean".

    Raises:
        ImageError: the set is refused or has no such echo.
    """
    if found.refusal:
        raise ImageError(found.refusal.why)
    if echo is None or echo in COMBINATIONS:
        return found.stacks
    for number, stack in zip(found.echoes, found.stacks, strict=True):
        if number == int(echo):
            return (stack,)
    there = ", ".join(str(number) for number in found.echoes)
    raise ImageError(f"has no echo {echo}; there: {there}")


def read_combined(stacks: Sequence[Stack], combination: str) -> Volume:
    """Reads echoes into one float32 channel: root-sum-of-squares or mean, voxel by voxel.

    Raises:
        ImageError: a slice cannot be decoded.
    """
    geometry = stacks[0].geometry
    if geometry is None:
        raise ImageError("has no grid")
    if len(stacks) == 1:
        return Volume(read_stack(stacks[0]).astype(np.float32)[None], geometry)
    total = np.zeros(geometry.shape_zyx, np.float32)
    for stack in stacks:
        values = read_stack(stack).astype(np.float32)
        total += values**2 if combination == "rss" else values
    total = np.sqrt(total) if combination == "rss" else total / np.float32(len(stacks))
    return Volume(total[None], geometry)


def read_channels(stacks: Sequence[Stack]) -> Volume:
    """Reads each echo into a float32 channel of its own.

    Raises:
        ImageError: a slice cannot be decoded.
    """
    geometry = stacks[0].geometry
    if geometry is None:
        raise ImageError("has no grid")
    return Volume(np.stack([read_stack(stack).astype(np.float32) for stack in stacks]), geometry)
