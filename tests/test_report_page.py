"""The one HTML file."""

from __future__ import annotations

import json
import re
import sys

import pytest

from kneecascade.errors import SettingsError
from kneecascade.report.page import page


def test_data_cannot_end_the_element_it_stands_in() -> None:
    data = {"name": "</script><b>x"}
    text = page("a <title>", data, with_3d=False)
    assert "<title>a &lt;title&gt;</title>" in text
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert held is not None
    assert json.loads(held[1]) == data


def test_nothing_is_fetched_from_elsewhere() -> None:
    text = page("t", {}, with_3d=False)
    assert not re.search(r'(src|href)="(https?:)?//', text)


def test_a_missing_viewer_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(SettingsError, match=r"kneecascade\[report\]"):
        page("t", {})
