"""kneecascade.core.record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from plans import tiny_plan

from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import from_plain, to_plain


@dataclass(frozen=True)
class Inner:
    size: tuple[int, int]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    kind: Literal["a", "b"]
    inner: Inner
    limit: float | None
    on: bool = False


GOOD: dict[str, Any] = {"kind": "a", "inner": {"size": [1, 2]}, "limit": 3}


def test_a_plan_survives_json() -> None:
    plan = tiny_plan()
    assert from_plain(CascadePlan, json.loads(json.dumps(to_plain(plan)))) == plan


def test_defaults_and_whole_numbers_for_floats() -> None:
    record = from_plain(Outer, GOOD)
    assert record == Outer("a", Inner((1, 2)), 3.0)
    assert isinstance(record.limit, float)
    assert from_plain(Outer, {**GOOD, "limit": None}).limit is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "c"}, "kind: expected one of 'a', 'b', found 'c'"),
        ({"inner": {"size": [1, 2, 3]}}, r"inner\.size: expected 2 values, found 3"),
        ({"inner": {"size": [1, "x"]}}, r"inner\.size\[1\]: expected int, found 'x'"),
        ({"inner": {"size": [1, 2.5]}}, r"inner\.size\[1\]: expected int, found 2\.5"),
        ({"inner": {"size": [1, True]}}, r"inner\.size\[1\]: expected int, found True"),
        ({"inner": {}}, r"inner\.size: missing"),
        ({"inner": 3}, "inner: expected an object, found 3"),
        ({"limit": "3"}, "limit: expected float, found '3'"),
        ({"on": 1}, "on: expected bool, found 1"),
        ({"colour": 1}, "colour: unknown field"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_plain(Outer, {**GOOD, **change})


def test_the_kind_chooses_the_record() -> None:
    data = to_plain(tiny_plan())
    data["fine"]["network"]["kind"] = "transformer"
    with pytest.raises(ValueError, match=r"fine\.network\.kind: unknown kind 'transformer'"):
        from_plain(CascadePlan, data)
