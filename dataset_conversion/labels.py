"""Label values to label values by way of names; nothing unknown, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kneecascade.errors import DatasetError

MENISCI = ("medial_meniscus", "lateral_meniscus")
MERGED_MENISCI = "menisci"
MOST_OVERLAP = 0.01
"""Share of a structure that another one may claim as well before one-hot labels are refused."""


def written_labels(labels: Mapping[int, str], merge_menisci: bool) -> dict[str, int]:
    """Returns the names and values of the data set that is written, background first.

    Values stay as they are in the source; merged menisci get the lower of their two.

    Raises:
        DatasetError: the menisci are to be merged, and the source has not both.
    """
    names = {name: value for value, name in sorted(labels.items())}
    if merge_menisci:
        absent = [name for name in MENISCI if name not in names]
        if absent:
            raise DatasetError(f"--merge-menisci: this source has no {absent[0]}")
        names[MERGED_MENISCI] = min(names.pop(name) for name in MENISCI)
    return {"background": 0, **dict(sorted(names.items(), key=lambda pair: pair[1]))}


def map_labels(
    array: np.ndarray, known: Mapping[int, str], written: Mapping[str, int], where: str
) -> tuple[np.ndarray, dict[str, int]]:
    """Maps a source's values to those that are written, by name.

    Args:
        array: integers, any shape.
        known: the source's values to names, without the background.
        written: names to values, as `written_labels` returns them.
        where: put in front of messages.

    Returns:
        The mapped array, uint8 (int16 where a value needs it), and the voxels of each name in it.

    Raises:
        DatasetError: there is a value without a name, or a label's voxels are not all there afterwards.
    """
    values, counts = np.unique(array, return_counts=True)
    there = {int(v): int(n) for v, n in zip(values, counts, strict=True) if v != 0}
    unknown = sorted(set(there) - set(known))
    if unknown:
        raise DatasetError(
            f"{where}: holds the label value {unknown[0]} ({there[unknown[0]]} voxels), which is none of "
            f"{', '.join(f'{value} {name}' for value, name in sorted(known.items()))}"
        )
    mapped = np.zeros(array.shape, np.uint8 if max(written.values()) <= 255 else np.int16)
    expected = dict.fromkeys((name for name in written if written[name]), 0)
    for value, count in there.items():
        name = _name_of(known[value], written)
        mapped[array == value] = written[name]
        expected[name] += count
    found = {name: int(np.count_nonzero(mapped == written[name])) for name in expected}
    lost = [name for name, count in expected.items() if found[name] != count]
    if lost:
        raise DatasetError(f"{where}: {lost[0]} had {expected[lost[0]]} voxels and has {found[lost[0]]} now")
    return mapped, found


def from_one_hot(one_hot: np.ndarray, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Turns masks, one a structure, into values: 1 for the first mask, 0 where no mask is set.

    There is no mask of the background, so taking the largest would make every background voxel the first
    structure. A voxel that two masks claim goes to the first of them.

    Args:
        one_hot: (Z, Y, X, structures), anything but 0 is set.
        where: put in front of messages.

    Returns:
        uint8 (Z, Y, X), and a note where masks overlap.

    Raises:
        DatasetError: a structure shares more than 1 % of its voxels with those before it.
    """
    values = np.zeros(one_hot.shape[:-1], np.uint8)
    shared = 0
    for k in range(one_hot.shape[-1]):
        mask = one_hot[..., k] != 0
        free = mask & (values == 0)
        total, lost = int(mask.sum()), int(mask.sum() - free.sum())
        if lost > MOST_OVERLAP * total:
            raise DatasetError(f"{where}: {lost} of {total} voxels of mask {k} belong to other masks as well")
        shared += lost
        values[free] = k + 1
    return values, (f"{shared} voxels belong to two masks; the first has them",) if shared else ()


def missing_labels(counts: Mapping[str, int], expected: Sequence[str]) -> list[str]:
    """Returns the expected names of which there is no voxel."""
    return [name for name in expected if name in counts and not counts[name]]


def _name_of(name: str, written: Mapping[str, int]) -> str:
    return name if name in written else MERGED_MENISCI
