"""OAIZIB-CM: 507 knees in nnU-Net's layout, with sides and grades in tables beside them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from kneecascade.core.case import Side
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.found import Found, SourceCase
from kneecascade.dataset_conversion.reading import read_files
from kneecascade.dataset_conversion.tables import read_rows, read_table
from kneecascade.errors import DatasetError

LABELS = {
    1: "femur",
    2: "femoral_cartilage",
    3: "tibia",
    4: "medial_tibial_cartilage",
    5: "lateral_tibial_cartilage",
}
IMAGE = re.compile(r"(oaizib_(\d+))_0000\.nii\.gz")
PARTS = {"Tr": 404, "Ts": 103}
SIDE_WORDS: dict[str, Side] = {"right": "right", "left": "left", "1": "right", "2": "left"}


def find_oaizib_cm(source: Path) -> Found:
    """Finds the cases of OAIZIB-CM.

    Sides come from kneeSideInfo.csv (no header: file name, right or left) and from the Excel tables
    (1 right, 2 left), which also know the person and the grade; where they disagree the side is unknown.

    Args:
        source: holds imagesTr, labelsTr, imagesTs, labelsTs, info.

    Raises:
        DatasetError: there is no image, an image has no label, or a table is unusable.
        MissingExtraError: openpyxl is not installed.
    """
    sides, people, notes = _sides(source), _people(source), []
    cases = [case for part in PARTS for case in _cases(source, part, sides, people)]
    if not cases:
        raise DatasetError(f"{source}: no images like imagesTr/oaizib_001_0000.nii.gz; is it OAIZIB-CM?")
    for part, count in PARTS.items():
        there = sum(case.part == part for case in cases)
        if there != count:
            notes.append(f"images{part} holds {there} knees; the published data set has {count}")
    if not people:
        notes.append(
            "no info/subInfo_*.xlsx or .csv: every knee is taken for its own person, without a grade"
        )
    about = {
        "reference": "CartiMorph, doi:10.1016/j.media.2023.103035; OAI-ZIB, doi:10.1016/j.media.2018.11.009"
    }
    return Found(
        "oaizib_cm", "OAIZIBCM", ("DESS",), LABELS, cases, CATALOGUE["oaizib_cm"].licence,
        tuple(LABELS.values()), about=about, notes=tuple(notes),
    )  # fmt: skip


def _cases(
    source: Path, part: str, sides: dict[int, Side], people: dict[int, dict[str, str]]
) -> list[SourceCase]:
    cases = []
    for image in sorted((source / f"images{part}").glob("*_0000.nii.gz")):
        match = IMAGE.fullmatch(image.name)
        if match is None:
            continue
        label, number = source / f"labels{part}" / f"{match[1]}.nii.gz", int(match[2])
        person = people.get(number, {})
        cases.append(
            SourceCase(
                name=match[1],
                subject=person.get("subjectid") or match[1],
                files=(image, label),
                read=partial(read_files, (image,), label),
                part="Tr" if part == "Tr" else "Ts",
                side=_agreed(sides.get(number), SIDE_WORDS.get(person.get("kneeside", ""))),
                grade=person.get("klgrade", ""),
            )
        )
    return cases


def _agreed(first: Side | None, second: Side | None) -> Side:
    told = {side for side in (first, second) if side is not None}
    return told.pop() if len(told) == 1 else "unknown"


def _sides(source: Path) -> dict[int, Side]:
    file = _beside(source, "kneeSideInfo.csv")
    if file is None:
        return {}
    sides: dict[int, Side] = {}
    for row in read_rows(file):
        number = re.search(r"oaizib_(\d+)", row[0])
        word = row[1].strip().lower() if len(row) > 1 else ""
        if number is None or word not in ("left", "right"):
            raise DatasetError(f"{file}: {','.join(row)!r} is not like oaizib_001.nii.gz,right")
        sides[int(number[1])] = SIDE_WORDS[word]
    return sides


def _people(source: Path) -> dict[int, dict[str, str]]:
    people: dict[int, dict[str, str]] = {}
    for part in ("train", "test"):
        for name in (f"subInfo_{part}.xlsx", f"subInfo_{part}.csv"):
            file = _beside(source, name)
            if file is None:
                continue
            for row in read_table(file, ("cmtid", "subjectid", "kneeside", "klgrade")):
                digits = re.search(r"\d+", row.get("cmtid", ""))
                if digits is None:
                    raise DatasetError(f"{file}: a row has no CMT-ID")
                people[int(digits[0])] = row
            break
    return people


def _beside(source: Path, name: str) -> Path | None:
    for file in (source / "info" / name, source / name):
        if file.is_file():
            return file
    return None
