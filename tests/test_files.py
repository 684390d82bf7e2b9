"""Atomic writes, readable JSON, hashes."""

import json

import pytest

from kneecascade.errors import InputError
from kneecascade.files import content_hash, read_json, write_json, write_text


def test_json_round_trip_is_readable(tmp_path):
    data = {"a": [1, 2, 3], "long": {f"key_{k}": [0.5] * 8 for k in range(6)}, "none": None}
    write_json(tmp_path / "x.json", data)
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == data
    assert '"a": [1, 2, 3]' in text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_nan_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_failed_rename_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()
    with pytest.raises(OSError):
        write_text(tmp_path / "taken", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), ("{", "not valid JSON")])
def test_bad_json_is_one_line(tmp_path, content, words):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=words) as error:
        read_json(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_hash_follows_names_and_bytes(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one")
    b.write_bytes(b"one")
    assert content_hash([a]) != content_hash([b])
    first = content_hash([a, b])
    assert first == content_hash([a, b])
    b.write_bytes(b"two")
    assert content_hash([a, b]) != first
