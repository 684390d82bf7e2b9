"""What a set of phantoms is made by, kept beside it: a folder never mixes knees of two recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kneecascade.core.geometry import Float3
from kneecascade.errors import SettingsError
from kneecascade.files import read_json, write_json

Size = Literal["small", "full"]
FILE = "phantom.json"


@dataclass(frozen=True)
class Recipe:
    """How phantoms are made.

    Attributes:
        seed: of everything random.
        tests: cases for imagesTs, beside those to train on; of `anatomy`, whole subjects until there are
            so many.
        size: grid of procedural knees.
        anatomy: folder of label maps to render, one case each; None for procedural knees.
        mirror: adds a mirrored copy of every map, a left knee of a right one.
        spacing_mm: (z, y, x) of the canonical grid that maps are rendered to; None for their own.
        halves: tell the medial from the lateral tibial cartilage.
        contrast: one of `phantom.looks.CONTRASTS`.
        borders: write the borders that the images of `anatomy` show as well; may be asked for later.
    """

    seed: int = 0
    tests: int = 0
    size: Size = "small"
    anatomy: Path | None = None
    mirror: bool = False
    spacing_mm: Float3 | None = None
    halves: bool = False
    contrast: str = "DESS"
    borders: bool = False

    def record(self, count: int) -> dict[str, Any]:
        """Returns what must stay the same; more knees to train on may be added where none are to test on."""
        maps = self.anatomy is not None
        return {
            "seed": self.seed,
            "test": self.tests,
            "n": None if maps or not self.tests else count,
            "size": None if maps else self.size,
            "anatomy": self.anatomy.resolve().name if self.anatomy else None,
            "mirror": self.mirror,
            "spacing": list(self.spacing_mm) if self.spacing_mm else None,
            "halves": self.halves,
            "contrast": self.contrast,
        }


def keep_recipe(output: Path, recipe: Recipe, count: int) -> None:
    """Writes the recipe into the data set's folder, or sees that the one there is the same.

    Raises:
        SettingsError: the folder's knees were made otherwise; names the first flag that differs.
    """
    wanted = recipe.record(count)
    path = output / FILE
    if path.is_file():
        found = read_json(path)
        found = found if isinstance(found, dict) else {}
        for name, value in wanted.items():
            if found.get(name) != value:
                raise SettingsError(
                    f"{output}: its knees were made with {name} {found.get(name)}, not {value}: "
                    "choose another folder with -o, or remove this one"
                )
    else:
        write_json(path, wanted)
