"""Which label values make which tissue of the knee: by name, by preset, or as given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kneecascade.errors import ImageError, SettingsError

CARTILAGE_ON = {
    "femoral_cartilage": "femur",
    "tibial_cartilage": "tibia",
    "patellar_cartilage": "patella",
}
"""Each cartilage with the bone it lies on."""
PARTS = {
    "medial_tibial_cartilage": "tibial_cartilage",
    "lateral_tibial_cartilage": "tibial_cartilage",
}
"""Labels that are one half of a cartilage."""
SHORT = {
    "fc": "femoral_cartilage",
    "tc": "tibial_cartilage",
    "mtc": "medial_tibial_cartilage",
    "ltc": "lateral_tibial_cartilage",
    "pc": "patellar_cartilage",
    "fb": "femur",
    "tb": "tibia",
    "pb": "patella",
}
BONE_WORDS = {
    "femur": "femur",
    "femoral": "femur",
    "tibia": "tibia",
    "tibial": "tibia",
    "patella": "patella",
    "patellar": "patella",
}
CARTILAGE_WORDS = {"cartilage", "cart"}

PRESETS: dict[str, dict[str, tuple[int, ...]]] = {
    # OAI masks; 7, 8 and 9 are lesions inside the bones and count as bone
    "oai": {
        "femur": (1, 7),
        "femoral_cartilage": (2,),
        "tibia": (3, 8),
        "tibial_cartilage": (4,),
        "patella": (5, 9),
        "patellar_cartilage": (6,),
    },
    "oaizib_cm": {
        "femur": (1,),
        "femoral_cartilage": (2,),
        "tibia": (3,),
        "medial_tibial_cartilage": (4,),
        "lateral_tibial_cartilage": (5,),
    },
    "ski10": {"femur": (1,), "femoral_cartilage": (2,), "tibia": (3,), "tibial_cartilage": (4,)},
    "iwoai": {
        "femoral_cartilage": (1,),
        "medial_tibial_cartilage": (2,),
        "lateral_tibial_cartilage": (3,),
        "patellar_cartilage": (4,),
        "menisci": (5, 6),
    },
    "skm_tea": {
        "patellar_cartilage": (1,),
        "femoral_cartilage": (2,),
        "medial_tibial_cartilage": (3,),
        "lateral_tibial_cartilage": (4,),
        "medial_meniscus": (5,),
        "lateral_meniscus": (6,),
    },
}


@dataclass(frozen=True)
class Structures:
    """What the values in label files stand for.

    Attributes:
        values: file values of each structure; those of the knee under the names used here.
        source: where the names come from, in words.
    """

    values: Mapping[str, tuple[int, ...]]
    source: str

    def mask(self, labels_zyx: np.ndarray, name: str) -> np.ndarray:
        """Returns bool (Z, Y, X): the structure with its parts; all False where it has no label."""
        names = (name, *(part for part, whole in PARTS.items() if whole == name))
        wanted = [value for one in names for value in self.values.get(one, ())]
        # a table by value is several times faster than comparing with each value
        table = np.zeros(max([int(labels_zyx.max(initial=0)), *wanted, 0]) + 1, dtype=bool)
        table[wanted] = True
        return table[labels_zyx]

    def has(self, name: str) -> bool:
        """Tells whether there is a label for the structure or for parts of it."""
        return name in self.values or any(
            part in self.values for part, whole in PARTS.items() if whole == name
        )

    def check(self, labels_zyx: np.ndarray, where: str) -> None:
        """Refuses values that stand for nothing.

        Raises:
            ImageError: a value in the array has no name; the message lists what there is.
        """
        low, high = int(labels_zyx.min(initial=0)), int(labels_zyx.max(initial=0))
        if low < 0:
            raise ImageError(f"{where}: holds the label {low}; labels must not be negative")
        there = np.flatnonzero(np.bincount(labels_zyx.reshape(-1), minlength=high + 1))
        unknown = sorted(set(there.tolist()) - {0} - {v for many in self.values.values() for v in many})
        if unknown:
            known = ", ".join(f"{n}={'+'.join(map(str, v))}" for n, v in self.values.items())
            raise ImageError(f"{where}: label {unknown[0]} has no name; known are {known}; see --labels")


def from_preset(name: str) -> Structures:
    """Returns the labels of a known data set.

    Raises:
        SettingsError: there is no such preset.
    """
    if name not in PRESETS:
        raise SettingsError(f"{name}: no such preset; there are {', '.join(PRESETS)}")
    return Structures(PRESETS[name], f"preset {name}")


def from_names(names: Mapping[str, int], source: str) -> Structures:
    """Returns the structures of named labels, such as those of dataset.json; value 0 is passed over."""
    values: dict[str, tuple[int, ...]] = {}
    for name, value in sorted(names.items(), key=lambda item: item[1]):
        if value != 0:
            known = known_name(name)
            values[known] = (*values.get(known, ()), value)
    return Structures(values, source)


def from_words(words: Sequence[str]) -> Structures:
    """Reads name=value words; a name may be given several times, or several values with commas.

    Raises:
        SettingsError: a word is not name=value, or no known structure is among them.
    """
    values: dict[str, tuple[int, ...]] = {}
    for word in words:
        found = re.fullmatch(r"(\w+)=(\d+(?:,\d+)*)", word)
        if not found:
            raise SettingsError(f"{word}: labels are given as name=value, such as femur=1 femur=7")
        name = known_name(found[1])
        values[name] = (*values.get(name, ()), *(int(value) for value in found[2].split(",")))
    return Structures(values, "--labels")


def known_name(name: str) -> str:
    """Returns the name used here for a label's name; the name itself where it is none of the knee's.

    "Femoral Cartilage", "femur_cart" and "FC" are the femoral cartilage, "patella lesion" the patella.
    """
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    short = "".join(words)
    if short in SHORT:
        return SHORT[short]
    bones = {BONE_WORDS[word] for word in words if word in BONE_WORDS}
    if len(bones) != 1 or any(word.startswith("menisc") for word in words):
        return name
    bone = bones.pop()
    if not CARTILAGE_WORDS & set(words):
        return bone
    if bone == "tibia":
        for half in ("medial", "lateral"):
            if half in words:
                return f"{half}_tibial_cartilage"
    return next(cartilage for cartilage, under in CARTILAGE_ON.items() if under == bone)
