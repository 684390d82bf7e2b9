"""The package's source as the architecture tests see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = {
    "cli": 8,
    "benchmark": 7,
    "pipeline": 6,
    **dict.fromkeys(("training", "inference", "dataset_conversion"), 5),
    **dict.fromkeys(("planning", "preprocessing", "evaluation", "biomarkers"), 4),
    **dict.fromkeys(("phantom", "report", "dicom"), 4),
    **dict.fromkeys(("imaging", "network", "workspace"), 3),
    "core": 2,
    "ground": 1,
    "door": 9,  # the package itself: what it offers is imported when it is asked for
}
GROUND = {"errors", "console", "files", "allocator", "__init__"}


@dataclass(frozen=True)
class Module:
    """One source file: `name` is dotted, `path` where it lies."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        return room_of(self.name)

    @cached_property
    def imported(self) -> frozenset[str]:
        """Every imported dotted name, wherever the import stands; from-imports as module and as member."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}:{node.lineno}: relative import"
                names.add(node.module or "")
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
        return frozenset(names)

    @cached_property
    def top_names(self) -> frozenset[str]:
        """The distributions' import names, such as "torch"."""
        return frozenset(name.split(".")[0] for name in self.imported)

    def calls(self) -> Iterator[tuple[int, str]]:
        """Yields line and dotted text of everything called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yields name and length in lines of every function, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, (node.end_lineno or 0) - node.lineno + 1


def room_of(name: str) -> str:
    """Returns the room of a dotted name inside the package."""
    if name == "kneecascade":
        return "door"
    parts = name.split(".")
    part = parts[1] if len(parts) > 1 else "__init__"
    return "ground" if part in GROUND or part.startswith("__") else part


def all_modules() -> tuple[Module, ...]:
    """Returns every source file of the package, dataset_conversion included."""
    found = []
    for top, prefix in (
        ("kneecascade", "kneecascade"),
        ("dataset_conversion", "kneecascade.dataset_conversion"),
    ):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT / top).with_suffix("").parts
            found.append(Module(".".join((prefix, *parts)).removesuffix(".__init__"), path))
    return tuple(found)


MODULES = all_modules()
BY_NAME = {module.name: module for module in MODULES}


def inside(module: Module) -> set[str]:
    """Returns the names of the package's modules that `module` imports."""
    return {name for name in module.imported if name in BY_NAME and name != "kneecascade"} - {module.name}
