"""The side as tags tell it."""

from __future__ import annotations

import pytest

from kneecascade.dicom.side import combined, side_in_text, side_of


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("Sag DESS left", "left"),
        ("KNEE_LT_SAG", "left"),
        ("t2_de3d_we_sag_iso LT", "left"),
        ("KneeLeft", "left"),
        ("Knie links", "left"),
        ("Knie li sag", "left"),
        ("L KNEE", "left"),
        ("genou gauche", "left"),
        ("SAG_3D_DESS_RIGHT", "right"),
        ("Rt Knee", "right"),
        ("Knie re", "right"),
        ("Knie rechts", "right"),
        ("knee r", "right"),
        ("Kniegelenk re.", "right"),
        ("rodilla derecha", "right"),
        ("MR Knees bilateral", "both"),
        ("Knie beidseits", "both"),
        ("left and right knee", "both"),
        ("Sag DESS 3132 30 HiRes", "unknown"),
        ("MRT der Kniegelenke", "unknown"),
        ("T2 R", "unknown"),
        ("PD fs L/R phase", "unknown"),
        ("bright blood, upright", "unknown"),
        ("cleft, sinus", "unknown"),
        ("knee R/L", "unknown"),
        ("", "unknown"),
    ],
)
def test_side_in_text(text: str, side: str) -> None:
    assert side_in_text(text) == side


def test_codes_and_texts_count_alike() -> None:
    assert side_of(["", "L", ""], [], []) == "left"
    assert side_of(["R"], ["right knee"], []) == "right"
    assert side_of(["R"], ["left knee"], []) == "contradictory"
    assert side_of(["L", "R"], [], []) == "contradictory"
    assert side_of(["B"], [], []) == "both"
    assert side_of(["U"], ["sag"], []) == "unknown"


def test_the_study_is_asked_last_and_may_hold_both_knees() -> None:
    assert side_of([""], ["sag"], ["MR knee left"]) == "left"
    assert side_of([""], ["sag right"], ["MR knee left"]) == "right"
    assert side_of([""], ["sag"], ["MR knees both"]) == "unknown"


def test_combined() -> None:
    assert combined(["unknown", "left", "left"]) == "left"
    assert combined(["right", "left"]) == "contradictory"
    assert combined([]) == "unknown"
