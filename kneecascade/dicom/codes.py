"""Coded anatomy of knee labels: SNOMED CT codes as DICOM and pydicom's dictionary list them.

A sided part is a code with a modifier, as DICOM prefers, not a code of its own: the medial meniscus is
meniscus, modified by medial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Code = tuple[str, str]
"""Value and meaning in the scheme SCT."""

ANATOMICAL, TISSUE = ("91723000", "Anatomical Structure"), ("85756007", "Tissue")
KNEE: Code = ("72696002", "Knee")
LATERALITY: dict[str, Code] = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}
MODIFIERS: dict[str, Code] = {"medial": ("255561001", "Medial"), "lateral": ("49370004", "Lateral")}
BONES: dict[str, Code] = {
    "femur": ("71341001", "Femur"),
    "tibia": ("12611008", "Tibia"),
    "patella": ("64234005", "Patella"),
    "fibula": ("87342007", "Fibula"),
}
# each pattern stands for the start of a word; the first that fits is the one
OTHERS: tuple[tuple[str, Code, Code], ...] = (
    ("cartilag|cart|knorpel", TISSUE, ("309312004", "Cartilage")),
    ("menisc", ANATOMICAL, ("74135004", "Meniscus")),
    ("patellar? (tendon|ligament)", ANATOMICAL, ("18033002", "Patellar Tendon")),
    ("ligament|acl|pcl|mcl|lcl|cruciate", ANATOMICAL, ("52082005", "Ligament")),
    ("effusion", ANATOMICAL, ("41699000", "Effusion")),
    ("lesion", ANATOMICAL, ("52988006", "Lesion")),
    ("muscle", ANATOMICAL, ("71616004", "Muscle")),
    ("marrow", TISSUE, ("14016003", "Bone Marrow")),
)
WORDS = {"femur": "femor|femur", "tibia": "tibia", "patella": "patell", "fibula": "fibula"}


@dataclass(frozen=True)
class Anatomy:
    """What a label stands for.

    Attributes:
        category: property category.
        kind: property type.
        modifiers: of the type: medial or lateral, left or right.
        region: where it lies; the bone of a cartilage, else the knee.
    """

    category: Code
    kind: Code
    modifiers: tuple[Code, ...]
    region: Code


def anatomy_of(label: str, side: str = "unknown") -> Anatomy:
    """Returns the codes of a label's name; what no pattern knows is an anatomical structure of the knee.

    Args:
        label: such as "medial tibial cartilage", "femur_cartilage", "Patella".
        side: "left" or "right" add their modifier.
    """
    words = " ".join(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower()))
    modifiers = [code for word, code in MODIFIERS.items() if re.search(rf"\b{word}", words)]
    modifiers += [LATERALITY[side]] if side in LATERALITY else []
    bone = next((BONES[name] for name, pattern in WORDS.items() if re.search(rf"\b({pattern})", words)), None)
    for pattern, category, kind in OTHERS:
        if re.search(rf"\b({pattern})", words):
            return Anatomy(category, kind, tuple(modifiers), bone or KNEE)
    return Anatomy(ANATOMICAL, bone or ANATOMICAL, tuple(modifiers), KNEE)
