"""Which knee it is, as far as DICOM tags tell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Side = Literal["left", "right", "both", "contradictory", "unknown"]

KNEE = r"(?:knees?|knie|knies|kniegelenk|genou|rodilla|ginocchio|joelho|kolano)"
LEFT = r"left|lt|lft|links?|linkes|linker|gauche|izquierd[ao]|izq|sinistr[ao]|esquerd[ao]"
RIGHT = r"right|rt|rgt|rechts?|rechtes|rechter|droite?|derech[ao]|destr[ao]|direit[ao]"
BOTH = r"both|bilat|bilateral\w*|beide|beider|beidseits|bds"
# A letter, or a short form that is also another word, counts only beside the knee.
LEFT_BESIDE, RIGHT_BESIDE = r"l|li", r"r|re"
CODES: dict[str, Side] = {"L": "left", "R": "right", "B": "both"}


def side_of(codes: Iterable[str], series_texts: Iterable[str], study_texts: Iterable[str]) -> Side:
    """Returns the side that tags tell; "unknown" where none does, "contradictory" where two disagree.

    The codes and the texts of the series count alike. Texts of the whole study are asked only where
    both say nothing, since one study may hold both knees.

    Args:
        codes: values of Laterality (0020,0060), ImageLaterality (0020,0062), FrameLaterality.
        series_texts: description, protocol, body part.
        study_texts: description of the study, requested procedure.
    """
    coded = combined(CODES.get(code.strip().upper(), "unknown") for code in codes)
    told = combined(side_in_text(text) for text in series_texts)
    if coded != "unknown" and told != "unknown":
        return coded if coded == told else "contradictory"
    if coded != "unknown" or told != "unknown":
        return told if coded == "unknown" else coded
    study = combined(side_in_text(text) for text in study_texts)
    return study if study in ("left", "right") else "unknown"


def side_in_text(text: str) -> Side:
    """Returns the side that a description names; "both" where it names left as well as right."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    # "KneeLeft" is two words; underscores, digits and signs separate words as well
    parts = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower())
    words = f" {' '.join(parts)} "
    # the direction of phase encoding says nothing about the knee
    words = words.replace(" r l ", " ").replace(" l r ", " ").replace(" left to right ", " ")
    left = _names(words, LEFT) or _beside_knee(words, LEFT_BESIDE)
    right = _names(words, RIGHT) or _beside_knee(words, RIGHT_BESIDE)
    if _names(words, BOTH) or (left and right):
        return "both"
    return "left" if left else "right" if right else "unknown"


def combined(sides: Iterable[Side]) -> Side:
    """Returns what several statements say together; "both" and "left" is "contradictory"."""
    said = set(sides) - {"unknown"}
    if not said:
        return "unknown"
    return said.pop() if len(said) == 1 else "contradictory"


def _names(words: str, pattern: str) -> bool:
    return re.search(rf" (?:{pattern}) ", words) is not None


def _beside_knee(words: str, pattern: str) -> bool:
    return re.search(rf" (?:(?:{pattern}) {KNEE}|{KNEE} (?:{pattern})) ", words) is not None
