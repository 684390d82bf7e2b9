"""Tests of core.colors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kneecascade.core.colors import BLACK, default_colors

OAI = (
    "background",
    "femur",
    "femoral_cartilage",
    "tibia",
    "tibial_cartilage",
    "patella",
    "patellar_cartilage",
)


def test_a_tissue_has_its_colour_in_whatever_order_and_company() -> None:
    whole = dict(zip(OAI, default_colors(OAI), strict=True))
    assert whole["background"] == BLACK
    assert whole["femoral_cartilage"] == (255, 77, 77)
    some = ("background", "Patellar Cartilage", "meniscus", "femoral_cartilage")
    few = dict(zip(some, default_colors(some), strict=True))
    assert few["femoral_cartilage"] == whole["femoral_cartilage"]
    assert few["Patellar Cartilage"] == whole["patellar_cartilage"]


def test_sides_are_shades_of_one_colour() -> None:
    names = (
        "background",
        "medial_tibial_cartilage",
        "lateral_tibial_cartilage",
        "tibial_cartilage_lateral_rim",
    )
    _, medial, lateral, rim = default_colors(names)
    assert medial == (255, 176, 0)
    assert all(a >= b for a, b in zip(lateral, medial, strict=True))
    assert lateral != medial
    assert rim not in (medial, lateral)


def test_unknown_names_take_what_is_free() -> None:
    names = ("background", "anterior", "posterior", "femur")
    colors = default_colors(names)
    assert colors[3] == (77, 166, 255)
    assert len(set(colors)) == 4


@given(st.lists(st.text("fematibpcrlg_ ", min_size=1, max_size=12), min_size=1, max_size=60, unique=True))
def test_no_two_labels_look_alike(names: list[str]) -> None:
    colors = default_colors(("background", *names))
    assert len(set(colors)) == len(names) + 1
    assert all(0 <= part <= 255 for color in colors for part in color)
    assert colors == default_colors(("background", *names))
