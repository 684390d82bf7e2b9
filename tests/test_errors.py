from __future__ import annotations

import re

import pytest

from kneecascade import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BaseException)]


def test_there_are_kinds() -> None:
    assert len(KINDS) >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_can_be_caught_as_ours(kind: type[BaseException]) -> None:
    assert issubclass(kind, errors.KneecascadeError)
    assert kind.__doc__
    assert str(kind("one line")) == "one line"


def test_the_drawn_tree_is_the_real_one() -> None:
    above: dict[int, str] = {}
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ]*[├└]── )?(\w+Error)", line)
        if found:
            depth = len(found[1] or "") // 4
            above[depth] = found[2]
            drawn[found[2]] = above.get(depth - 1, "Exception")
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in KINDS}
