"""File names of series, made of number and description."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from kneecascade.dicom.grouping import ImageSet
from kneecascade.errors import InputError

LONGEST = 60


def set_names(sets: Sequence[ImageSet]) -> list[str]:
    """Returns a name a set, all different: "005_Sag_DESS", with the patient where there are several."""
    several = len({found.series.patient for found in sets}) > 1
    names: list[str] = []
    taken: set[str] = set()
    for found in sets:
        name = stem = _name(found, several)
        again = 1
        # file systems that do not tell upper from lower case exist
        while name.lower() in taken:
            again += 1
            name = f"{stem}_{again}"
        taken.add(name.lower())
        names.append(name)
    return names


def title(found: ImageSet) -> str:
    """Returns how messages name a set."""
    series = found.series
    number = "series without number" if series.number is None else f"series {series.number}"
    part = found.stacks[0].part
    return " ".join(
        [number, *([series.description] if series.description else []), *([f"[{part}]"] * bool(part))]
    )


def choose(sets: Sequence[ImageSet], wanted: str | None) -> list[ImageSet]:
    """Returns the sets of a series number, a SeriesInstanceUID or a part of a description.

    Args:
        sets: of a folder.
        wanted: what --series was given; None for all. A number is a series number where one fits.

    Raises:
        InputError: no set fits; the message lists what there is.
    """
    if wanted is None:
        return list(sets)
    by_number = [
        s for s in sets if wanted.isdigit() and any(v.series.number == int(wanted) for v in s.stacks)
    ]
    by_uid = [s for s in sets if any(v.series.uid == wanted for v in s.stacks)]
    by_text = [s for s in sets if any(wanted.lower() in v.series.description.lower() for v in s.stacks)]
    chosen = by_number or by_uid or by_text
    if not chosen:
        there = "; ".join(dict.fromkeys(title(found) for found in sets))
        raise InputError(f"--series {wanted}: no such series; there: {there}")
    return chosen


def _name(found: ImageSet, with_patient: bool) -> str:
    series = found.series
    number = "" if series.number is None else f"{series.number:03d}"
    parts = [series.patient if with_patient else "", number, series.description, found.stacks[0].part]
    return "_".join(slug for slug in map(_slug, parts) if slug) or "series"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", plain).strip("_.")[:LONGEST].rstrip("_.")
