"""The labels of a data set: names, values in files, class indices in networks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """Names and file values; a label's class index is its position, background is class 0.

    Attributes:
        names: label names as in dataset.json, "background" first.
        values: the integer that stands for each label in label files, 0 first.
    """

    names: tuple[str, ...]
    values: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of classes, background included."""
        return len(self.names)

    @property
    def foreground(self) -> tuple[str, ...]:
        """Names without the background."""
        return self.names[1:]

    def index(self, name: str) -> int:
        """Returns the class index of `name`.

        Raises:
            ValueError: there is no such label.
        """
        return self.names.index(name)

    def indices(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Returns the class indices of several names."""
        return tuple(self.index(name) for name in names)
