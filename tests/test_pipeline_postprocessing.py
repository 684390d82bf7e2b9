"""Tests of pipeline.postprocessing: reading postprocessing.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kneecascade.core.piece_rules import PieceRule
from kneecascade.errors import InputError
from kneecascade.pipeline.postprocessing import in_words, read_rules

LABELS = ("bone", "cartilage")
LARGEST = {"label": "bone", "keep": "largest", "least_mm3": 0.0}


def test_rules_come_back(tmp_path: Path) -> None:
    assert read_rules(tmp_path, LABELS) is None
    above = {"label": "cartilage", "keep": "above", "least_mm3": 2.5}
    content = {"weights": {"fold_0": "ab"}, "rules": [LARGEST, above], "more": "is passed over"}
    (tmp_path / "postprocessing.json").write_text(json.dumps(content))
    found = read_rules(tmp_path, LABELS)
    assert found is not None
    assert found.weights == {"fold_0": "ab"}
    assert found.rules == (PieceRule("bone", "largest"), PieceRule("cartilage", "above", 2.5))
    assert [in_words(rule) for rule in found.rules] == [
        "bone: largest piece kept",
        "cartilage: pieces under 2.5 mm3 dropped",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "not valid JSON"),
        ("[]", "expected an object"),
        ('{"rules": []}', "weights"),
        ({"rules": [{**LARGEST, "keep": "nothing"}]}, r"rules\[0\].keep"),
        ({"rules": [{**LARGEST, "label": "meniscus"}]}, "no label meniscus"),
        ({"rules": [LARGEST, LARGEST]}, "two rules"),
        ({"rules": [{**LARGEST, "least_mm3": -1.0}]}, "not be negative"),
    ],
)
def test_broken_files_end_in_one_line(tmp_path: Path, content: object, message: str) -> None:
    text = content if isinstance(content, str) else json.dumps({"weights": {}, **content})  # type: ignore[dict-item]
    (tmp_path / "postprocessing.json").write_text(text)
    with pytest.raises(InputError, match=rf"postprocessing.json: .*{message}"):
        read_rules(tmp_path, LABELS)
