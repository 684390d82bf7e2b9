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
TOP = 0.9
"""The femoral cartilage above this share of it reaches up the posterior condyles."""


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


def top_behind_centre_mm(mask_zyx: np.ndarray, geometry: Geometry) -> float:
    """Returns how far the uppermost tenth of the femoral cartilage lies behind its centre, in mm.

    In all of 50 manually drawn OAI knees it lay behind, by 2.7 to 22.6 mm. 0 for an empty mask.
    """
    found = np.argwhere(mask_zyx)
    if not len(found):
        return 0.0
    steps = found[:, ::-1] * np.array(geometry.spacing_mm[::-1])
    places = steps @ np.array(geometry.direction_xyz).reshape(3, 3).T
    top = places[:, 2] >= np.quantile(places[:, 2], TOP)
    return float(places[top, 1].mean() - places[:, 1].mean())
