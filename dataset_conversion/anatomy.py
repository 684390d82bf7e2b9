"""What labels tell of a knee's orientation: which side it is, whether the axes can be right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kneecascade.core.case import Side
from kneecascade.core.geometry import Geometry

CLEAR_MM = 3.0
"""Nearer centres say nothing about which lies where."""
UPPER, LOWER = ("femur", "femoral_cartilage"), ("tibia", "tibial_cartilage")
SIDED = ("tibial_cartilage", "meniscus")
CONDYLES, SHAFT = 0.3, 0.9
"""Shares of a femur's voxels: below the first lie the condyles, above the second the shaft."""


def centre_mm(mask_zyx: np.ndarray, geometry: Geometry) -> np.ndarray | None:
    """Returns the centre of a mask in the patient's x, y, z (to the left, back, head); None if empty."""
    found = np.argwhere(mask_zyx)
    if not len(found):
        return None
    steps = found.mean(axis=0)[::-1] * np.array(geometry.spacing_mm[::-1])
    direction = np.array(geometry.direction_xyz).reshape(3, 3)
    return np.array(geometry.origin_mm_xyz) + direction @ steps


def side_of(centres: Mapping[str, np.ndarray | None]) -> Side:
    """Returns the side of a knee from where medial lies: to the patient's left of lateral in a right knee.

    Args:
        centres: of each label, as `centres_of` returns them.
    """
    for structure in SIDED:
        medial, lateral = centres.get(f"medial_{structure}"), centres.get(f"lateral_{structure}")
        if medial is not None and lateral is not None:
            distance = float(medial[0] - lateral[0])
            if abs(distance) >= CLEAR_MM:
                return "right" if distance > 0 else "left"
    return "unknown"


def centres_of(
    labels_zyx: np.ndarray, known: Mapping[int, str], geometry: Geometry
) -> dict[str, np.ndarray | None]:
    """Returns the centre of every label by name; tibial_cartilage also where only its parts have names."""
    centres = {name: centre_mm(labels_zyx == value, geometry) for value, name in known.items()}
    if "tibial_cartilage" not in centres:
        parts = [value for value, name in known.items() if name.endswith("tibial_cartilage")]
        centres["tibial_cartilage"] = centre_mm(np.isin(labels_zyx, parts), geometry)
    return centres


def is_upside_down(centres: Mapping[str, np.ndarray | None]) -> bool:
    """Says whether a structure of the femur lies below the same one of the tibia."""
    for upper, lower in zip(UPPER, LOWER, strict=True):
        above, below = centres.get(upper), centres.get(lower)
        if above is not None and below is not None:
            return bool(above[2] < below[2])
    return False


def is_back_to_front(centres: Mapping[str, np.ndarray | None]) -> bool:
    """Says whether the patella or its cartilage lies behind the cartilage of the femur."""
    femur = centres.get("femoral_cartilage")
    patella = centres.get("patella")
    patella = centres.get("patellar_cartilage") if patella is None else patella
    return femur is not None and patella is not None and bool(patella[1] > femur[1])


def shaft_before_condyles_mm(mask_zyx: np.ndarray, geometry: Geometry) -> float:
    """Returns how far the uppermost tenth of a femur lies in front of its lowest three tenths, in mm.

    The condyles reach backwards from the shaft: it lay in front in all of 50 manually drawn OAI knees, by
    8.2 to 18.2 mm, and in 16 procedural phantoms, by 5.0 to 7.0 mm. 0 for an empty mask.
    """
    found = np.argwhere(mask_zyx)
    if not len(found):
        return 0.0
    steps = found[:, ::-1] * np.array(geometry.spacing_mm[::-1])
    places = steps @ np.array(geometry.direction_xyz).reshape(3, 3).T
    low, high = np.quantile(places[:, 2], (CONDYLES, SHAFT))
    shaft, condyles = places[places[:, 2] >= high], places[places[:, 2] <= low]
    return float(condyles[:, 1].mean() - shaft[:, 1].mean())
