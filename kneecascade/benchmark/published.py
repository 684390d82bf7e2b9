"""Protocols of public data sets with the results that were published under them.

A row stands here only where it was read in a repository, in an abstract or in another paper's table;
what is known from memory alone, or was found under another protocol, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["folds", "test"]
Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Row:
    """One published method.

    Attributes:
        method: its name.
        scores: of each printed label: "dice" from 0 to 1, "assd" in mm.
        read_in: where the numbers were read.
    """

    method: str
    scores: Scores
    read_in: str


@dataclass(frozen=True)
class Protocol:
    """How a data set is scored.

    Attributes:
        description: one line.
        kind: "folds", every case is held out once; or "test", the official test set.
        count: cases that are scored; None where that depends.
        groups: printed label to the labels of the data set that are scored as one; empty, each for itself.
        rows: published under this protocol.
        note: what a reader of the table must know, or "".
    """

    description: str
    kind: Kind
    count: int | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    note: str = ""


BONES_AND_CARTILAGE = {
    "femur": ("femur",),
    "femoral cartilage": ("femoral_cartilage",),
    "tibia": ("tibia",),
    "tibial cartilage": ("tibial_cartilage", "medial_tibial_cartilage", "lateral_tibial_cartilage"),
}
SOFT_TISSUES = {
    "femoral cartilage": ("femoral_cartilage",),
    "tibial cartilage": ("medial_tibial_cartilage", "lateral_tibial_cartilage"),
    "patellar cartilage": ("patellar_cartilage",),
    "menisci": ("medial_meniscus", "lateral_meniscus", "menisci"),
}


def _dice(labels: Mapping[str, tuple[str, ...]], *values: float | None) -> Scores:
    pairs = zip(labels, values, strict=True)
    return {name: {"dice": round(value, 4)} for name, value in pairs if value is not None}


def _oai_zib(method: str, *percent: float | None) -> Row:
    values = (None if value is None else value / 100 for value in percent)
    return Row(method, _dice(BONES_AND_CARTILAGE, *values), "a later paper's table")


PROTOCOLS: dict[str, Protocol] = {
    "oai_zib": Protocol(
        "five-fold cross-validation over the 507 knees",
        "folds",
        507,
        BONES_AND_CARTILAGE,
        (
            _oai_zib("U-Net", None, 84.73, None, 83.21),
            _oai_zib("V-Net", None, 87.75, None, 84.09),
            _oai_zib("nnU-Net", 97.87, 88.51, 97.17, 85.49),
            _oai_zib("SwinUNETR", None, 87.77, None, 84.47),
            _oai_zib("MtRA-UNet", None, 89.19, None, 86.02),
            _oai_zib("MSPF-VM-UNet", None, 89.57, None, 85.63),
            _oai_zib("MBEDNet", 98.46, 89.03, 98.64, 86.29),
        ),
        "the folds are ours: those of the papers are not published, and may differ among them",
    ),
    "oaizib_cm": Protocol("the official test set of 103 knees", "test", 103, BONES_AND_CARTILAGE),
    "ski10": Protocol(
        "the 40 knees that were labelled later",
        "test",
        40,
        BONES_AND_CARTILAGE,
        note="the challenge's total score is given by its server, on 50 knees without public labels",
    ),
    "iwoai2019": Protocol(
        "the official test set of 28 scans",
        "test",
        28,
        SOFT_TISSUES,
        (
            Row(
                "team 6 of the challenge",
                {
                    "femoral cartilage": {"dice": 0.906, "assd": 0.174},
                    "tibial cartilage": {"dice": 0.881, "assd": 0.270},
                    "patellar cartilage": {"dice": 0.857, "assd": 0.243},
                    "menisci": {"dice": 0.870, "assd": 0.344},
                },
                "the team's repository",
            ),
        ),
    ),
    "skm_tea": Protocol(
        "the official test set of 36 scans",
        "test",
        36,
        SOFT_TISSUES,
        (
            Row(
                "2D U-Net",
                _dice(SOFT_TISSUES, 0.882, 0.865, 0.879, 0.847),
                "the data set's repository",
            ),
        ),
    ),
    "msd": Protocol("five-fold cross-validation over the training cases", "folds"),
}
