"""Records to plain JSON data, and back with every field checked."""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

R = TypeVar("R")
LARGEST = 1e300


def to_plain(record: Any) -> Any:
    """Returns the record as dicts, lists, strings, numbers, booleans and None."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_plain(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, tuple | list):
        return [to_plain(item) for item in record]
    if isinstance(record, dict):
        return {key: to_plain(value) for key, value in record.items()}
    return record


def from_plain(kind: type[R], data: Any, where: str = "") -> R:
    """Builds a record of class `kind` from plain data.

    Args:
        kind: a frozen dataclass.
        data: a dict with exactly its fields (those with defaults may be missing).
        where: path of `data` in its file, put in front of the field in messages.

    Raises:
        ValueError: a field is missing, unknown or of the wrong type; the message names it.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{where or 'the top level'}: expected an object, found {_shown(data)}")
    hints, fields = _hints(kind), {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in data:
        if name not in fields:
            raise ValueError(f"{_join(where, name)}: unknown field")
    values = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _value(hints[name], data[name], _join(where, name))
        elif field.default is dataclasses.MISSING:
            raise ValueError(f"{_join(where, name)}: missing")
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, data: Any, where: str) -> Any:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, data, where)  # type: ignore[arg-type]
    if origin is Literal:
        return _literal(get_args(hint), data, where)
    if origin is tuple:
        return _tuple(get_args(hint), data, where)
    if origin is types.UnionType or origin is Union:
        return _union(get_args(hint), data, where)
    return _scalar(hint, data, where)


def _literal(choices: tuple[Any, ...], data: Any, where: str) -> Any:
    if data not in choices:
        shown = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{where}: expected one of {shown}, found {_shown(data)}")
    return data


def _tuple(hints: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise ValueError(f"{where}: expected a list, found {_shown(data)}")
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(data)
    if len(hints) != len(data):
        raise ValueError(f"{where}: expected {len(hints)} values, found {len(data)}")
    pairs = zip(hints, data, strict=True)
    return tuple(_value(hint, item, f"{where}[{k}]") for k, (hint, item) in enumerate(pairs))


def _union(hints: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in hints:
        return None
    rest = [hint for hint in hints if hint is not type(None)]
    if isinstance(data, dict) and "kind" in data:
        for hint in rest:
            if data["kind"] in get_args(_hints(hint)["kind"]):
                return from_plain(hint, data, where)
        raise ValueError(f"{_join(where, 'kind')}: unknown kind {_shown(data['kind'])}")
    if len(rest) == 1:
        return _value(rest[0], data, where)
    raise ValueError(f"{where}: expected an object with a kind, found {_shown(data)}")


def _scalar(hint: Any, data: Any, where: str) -> Any:
    wanted = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}[hint]
    if not isinstance(data, wanted) or (isinstance(data, bool) and hint is not bool):
        raise ValueError(f"{where}: expected {hint.__name__}, found {_shown(data)}")
    if hint is float and not _is_finite(data):
        raise ValueError(f"{where}: expected a finite number, found {_shown(data)}")
    return hint(data)


def _is_finite(number: Any) -> bool:
    """Says whether a number fits a float: not infinite, not NaN, no integer beyond it."""
    return bool(-LARGEST < number < LARGEST)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 40 else text[:37] + "..."
