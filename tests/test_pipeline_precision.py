from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry

from kneecascade.cli.evaluate import main
from kneecascade.core.case import LabelVolume
from kneecascade.imaging.files import write_labels
from kneecascade.pipeline.precision import precision_of_folder

NAMES = {"labels": {"background": 0, "bone": 1, "cartilage": 2}}
DECLARED = "case,subject,visit,scan_rescan\na,p,0,k\nb,p,0,k\nc,q,0,\n"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    labels = blob_labels()
    alone = np.where(labels == 1, 1, 0).astype(np.int16)
    for name, array in (("a", labels), ("b", alone), ("c", labels)):
        write_labels(LabelVolume(array, tiny_geometry(array.shape)), tmp_path / "scans" / f"{name}.mha")  # type: ignore[arg-type]
    (tmp_path / "dataset.json").write_text(json.dumps(NAMES))
    return tmp_path / "scans"


def _run(scans: Path, *more: object) -> int:
    return main(["-p", str(scans), "--precision", *map(str, more)])


def test_declared_scans_alone_count(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scans.parent / "subjects.csv").write_text(DECLARED)
    assert _run(scans) == 0
    found = json.loads((scans / "precision.json").read_text())
    assert found["precision"]["bone"]["volume_ml"]["rms_cv_percent"] == 0
    assert "cartilage" not in found["precision"]  # one of the two scans alone holds it
    assert found["knees"] == {"k": ["a", "b"]}
    assert set(found["scans"]) == {"a", "b"}
    assert "smallest detectable change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,subject\na,p\nb,p\n", "no repeated scans"),
        (DECLARED.replace("b,p,0", "b,p,96"), "are of visit 0 and 96"),
    ],
)
def test_visits_years_apart_are_refused(
    scans: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (scans.parent / "subjects.csv").write_text(text)
    assert _run(scans) == 2
    assert message in capsys.readouterr().err


def test_a_scan_that_cannot_be_read_is_counted(scans: Path) -> None:
    (scans.parent / "subjects.csv").write_text(DECLARED.replace("c,q,0,", "c,p,0,k"))
    (scans / "b.mha").write_bytes(b"broken")
    assert precision_of_folder(scans, scans.parent / "mine.json") == 1
    found = json.loads((scans.parent / "mine.json").read_text())
    assert found["knees"] == {"k": ["a", "c"]}
    assert found["precision"]["cartilage"]["thickness_mm"]["rms_sd"] == 0
