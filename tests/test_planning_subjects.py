"""kneecascade.planning.subjects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_folder import write_raw

from kneecascade.errors import DatasetError
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.subjects import SubjectRow, read_subject_rows


def test_rows_are_read_whatever_the_order_and_spelling(tmp_path: Path) -> None:
    assert read_subject_rows(tmp_path) == {}
    text = "\ufeffSide, Case,subject,age,grade,site\nR,a,p1,50,2,X\n\n Left ,b,p1\n,c,p2,,,\n"
    (tmp_path / "subjects.csv").write_text(text, encoding="utf-8")
    assert read_subject_rows(tmp_path) == {
        "a": SubjectRow("a", "p1", "right", "X", "2"),
        "b": SubjectRow("b", "p1", "left"),
        "c": SubjectRow("c", "p2", "unknown"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs the columns case,subject"),
        (b"case,person\na,b\n", "needs the columns case,subject"),
        (b"case,subject,side\na,p,medial\n", "side of a is 'medial'; write left, right or unknown"),
        (b"case,subject\na,p\na,q\n", "a is there twice"),
        (b"case,subject\n,p\n", "a row names no case"),
        (b"case,subject\n\xff\xfe\x00,p\n", "save it as CSV in UTF-8"),
    ],
)
def test_unusable_tables_are_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "subjects.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_subject_rows(tmp_path)
    assert "\n" not in str(caught.value)


def test_cases_know_their_side(tmp_path: Path) -> None:
    folder = write_raw(tmp_path / "Dataset001_Knee", cases=2, test=1)
    (folder / "subjects.csv").write_text("case,subject,side\ncase1,p,left\nunseen0,q,right\n")
    dataset = read_dataset(folder)
    assert [case.side for case in dataset.training] == ["unknown", "left"]
    assert [case.side for case in dataset.test] == ["right"]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: f"case,subject\n{t}".encode())))
def test_any_bytes_are_rows_or_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "subjects"
    folder.mkdir(exist_ok=True)
    (folder / "subjects.csv").write_bytes(content)
    try:
        rows = read_subject_rows(folder)
    except DatasetError:
        return
    assert all(name == row.case for name, row in rows.items())
