"""Coded anatomy of label names; the codes are those of pydicom's dictionary."""

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from kneecascade.dicom import codes as ours
from kneecascade.dicom.codes import anatomy_of


@pytest.mark.parametrize(
    ("label", "kind", "region", "modifiers"),
    [
        ("femur", "Femur", "Knee", ()),
        ("Tibia", "Tibia", "Knee", ()),
        ("patella", "Patella", "Knee", ()),
        ("femoral_cartilage", "Cartilage", "Femur", ()),
        ("FemoralCartilage", "Cartilage", "Femur", ()),
        ("medial tibial cartilage", "Cartilage", "Tibia", ("Medial",)),
        ("lateral_tibial_cartilage", "Cartilage", "Tibia", ("Lateral",)),
        ("patellar cartilage", "Cartilage", "Patella", ()),
        ("medial_meniscus", "Meniscus", "Knee", ("Medial",)),
        ("meniscus lateral", "Meniscus", "Knee", ("Lateral",)),
        ("menisci", "Meniscus", "Knee", ()),
        ("patellar tendon", "Patellar Tendon", "Patella", ()),
        ("something else", "Anatomical Structure", "Knee", ()),
        ("femur_lesion", "Lesion", "Femur", ()),
    ],
)
def test_labels(label: str, kind: str, region: str, modifiers: tuple[str, ...]) -> None:
    anatomy = anatomy_of(label)
    assert anatomy.kind[1] == kind
    assert anatomy.region[1] == region
    assert tuple(meaning for _, meaning in anatomy.modifiers) == modifiers


def test_the_side_is_a_modifier() -> None:
    assert [m for _, m in anatomy_of("medial meniscus", "left").modifiers] == ["Medial", "Left"]
    assert [m for _, m in anatomy_of("femur", "right").modifiers] == ["Right"]
    assert anatomy_of("femur", "contradictory").modifiers == ()


def test_every_code_is_in_the_dictionary_with_this_meaning() -> None:
    used = {ours.ANATOMICAL, ours.TISSUE, ours.KNEE, *ours.BONES.values()}
    used |= {*ours.LATERALITY.values(), *ours.MODIFIERS.values()}
    used |= {code for _, category, kind in ours.OTHERS for code in (category, kind)}
    known = {
        (code.value, code.meaning.lower()) for code in (getattr(codes.SCT, name) for name in codes.SCT.dir())
    }
    assert {(value, meaning.lower()) for value, meaning in used} <= known
