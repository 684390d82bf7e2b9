from __future__ import annotations

import numpy as np
import pytest

from kneecascade.biomarkers.structures import (
    PRESETS,
    Structures,
    from_names,
    from_preset,
    from_words,
    known_name,
)
from kneecascade.errors import ImageError, SettingsError


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Femoral Cartilage", "femoral_cartilage"),
        ("FemoralCartilage", "femoral_cartilage"),
        ("femur_cart", "femoral_cartilage"),
        ("FC", "femoral_cartilage"),
        ("mTC", "medial_tibial_cartilage"),
        ("lateral tibial cartilage", "lateral_tibial_cartilage"),
        ("tibia_cartilage_medial", "medial_tibial_cartilage"),
        ("medial femoral cartilage", "femoral_cartilage"),
        ("patella lesion", "patella"),
        ("Tibia", "tibia"),
        ("medial_meniscus", "medial_meniscus"),
        ("popliteal artery", "popliteal artery"),
    ],
)
def test_names_are_known_however_they_are_written(name: str, known: str) -> None:
    assert known_name(name) == known


def test_values_of_one_structure_add_up() -> None:
    structures = from_names({"background": 0, "femur": 1, "femur_lesion": 7, "mtc": 4, "ltc": 5}, "here")
    labels = np.array([[[0, 1, 7, 4, 5]]])
    assert structures.mask(labels, "femur").ravel().tolist() == [False, True, True, False, False]
    assert structures.mask(labels, "tibial_cartilage").ravel().tolist() == [False, False, False, True, True]
    assert not structures.mask(labels, "patella").any()
    assert structures.has("tibial_cartilage")
    assert not structures.has("tibia")


def test_words_say_values() -> None:
    assert from_words(["femur=1,7", "FC=2", "femur=9"]).values == {
        "femur": (1, 7, 9),
        "femoral_cartilage": (2,),
    }


@pytest.mark.parametrize("word", ["femur", "femur=", "femur=x", "=1", "femur=1,"])
def test_a_word_without_a_value_is_refused(word: str) -> None:
    with pytest.raises(SettingsError, match="name=value"):
        from_words([word])


def test_a_value_without_a_name_is_refused() -> None:
    structures = Structures({"femur": (1,)}, "here")
    structures.check(np.array([[[0, 1]]]), "knee")
    with pytest.raises(ImageError, match="knee: label 3 has no name; known are femur=1"):
        structures.check(np.array([[[0, 1, 3]]]), "knee")
    with pytest.raises(ImageError, match="-1"):
        structures.check(np.array([[[0, -1]]]), "knee")


def test_presets_hold_what_the_data_sets_hold() -> None:
    for name in PRESETS:
        values = [value for many in from_preset(name).values.values() for value in many]
        assert len(values) == len(set(values))
        assert from_preset(name).has("femoral_cartilage")
    assert not from_preset("iwoai").has("femur")
    with pytest.raises(SettingsError, match="no such preset; there are oai,"):
        from_preset("other")
