"""The whole path on a miniature: benchmark.reproduce, .published, .grouped_scores, .reproduce_table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from public_layouts import block_knee, labels_of, write_nifti, write_skm_tea

from kneecascade.benchmark import published
from kneecascade.benchmark.grouped_scores import Scored, means, printed_groups, score_case
from kneecascade.benchmark.published import PROTOCOLS, Protocol, Row
from kneecascade.benchmark.reproduce import ReproduceSettings, reproduce
from kneecascade.benchmark.reproduce_table import deviation, result_record, show_result
from kneecascade.cli.benchmark import main
from kneecascade.core.labels import Labels
from kneecascade.errors import DatasetError
from kneecascade.workspace import Workspace

LABELS = Labels(
    ("background", "femoral_cartilage", "medial_tibial_cartilage", "lateral_tibial_cartilage"), (0, 1, 2, 3)
)
VALUES = dict(zip(LABELS.names[1:], LABELS.values[1:], strict=True))
GROUPS = {"tibial cartilage": (2, 3), "femoral cartilage": (1,)}


def test_the_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = PROTOCOLS["skm_tea"]
    source = write_skm_tea(tmp_path / "skm", (2, 1, 1), (24, 24, 16))
    flags = "--epochs 1 --iterations-per-epoch 1 --memory-gb 0.6 --fine-width 4 --device cpu"
    command = ["reproduce", "skm_tea", *flags.split(), "--workspace", str(tmp_path / "w")]
    assert main([*command, "--source", str(source)]) == 0
    out = capsys.readouterr().out
    assert "1 cases were scored instead of 36, so this is not the published protocol" in out
    assert "2D U-Net" not in out
    monkeypatch.setitem(published.PROTOCOLS, "skm_tea", replace(protocol, count=1))
    # everything is there: the source is not needed, nothing is trained or predicted again
    assert main(command) == 0
    out = capsys.readouterr().out
    for words in (
        "is there already",
        "finished already, kept",
        "1 images were finished",
        "2D U-Net",
        "0.882",
    ):
        assert words in out
    result = json.loads((tmp_path / "w/results/Dataset505_SKMTEA/reproduce.json").read_text())
    assert result["data_licence"].startswith("Stanford")
    assert set(result["ours"]) == {"femoral cartilage", "tibial cartilage", "patellar cartilage", "menisci"}
    assert result["published"][0]["scores"]["menisci"] == {"dice": 0.847}
    assert list(result["cases"]) == ["MTR_004"]


def test_published_rows_speak_of_their_protocols_labels() -> None:
    for protocol in PROTOCOLS.values():
        for row in protocol.rows:
            assert set(row.scores) <= set(protocol.groups)
            assert row.read_in
            for scores in row.scores.values():
                assert set(scores) <= {"dice", "assd"}
                assert 0.5 < scores["dice"] < 1
                assert 0 < scores.get("assd", 0.1) < 1


def test_labels_that_count_as_one(tmp_path: Path) -> None:
    assert printed_groups(LABELS, {"tc": ("medial_tibial_cartilage", "none"), "x": ("none",)}) == {"tc": (2,)}
    assert printed_groups(LABELS, {}) == {name: (value,) for name, value in VALUES.items()}
    truth = labels_of(block_knee(), VALUES)
    write_nifti(tmp_path / "a.nii.gz", truth)
    # medial and lateral exchanged: as one they are right
    write_nifti(tmp_path / "b.nii.gz", np.choose(truth, (0, 1, 3, 2)).astype(np.uint8))
    scores = score_case(Scored("a", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"), GROUPS)
    assert scores == {name: {"dice": 1.0, "assd": 0.0} for name in GROUPS}
    write_nifti(tmp_path / "b.nii.gz", truth, (1.0, 1.0, 1.0))
    told = score_case(Scored("a", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"), GROUPS)
    assert "spacing" in told
    assert score_case(Scored("a", tmp_path / "a.nii.gz", tmp_path / "c.nii.gz"), GROUPS) == "no prediction"


def test_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row("other net", {"tibial cartilage": {"dice": 0.86}}, "a table")
    protocol = Protocol("two knees", "test", 2, {}, (row,), "a note")
    cases = {
        "a": {name: {"dice": 0.8, "assd": None} for name in GROUPS},
        "b": {name: {"dice": 0.9, "assd": 0.4} for name in GROUPS},
        "c": "no prediction",
    }
    ours = means(cases, GROUPS)
    show_result("Knees", protocol, ours, 2, True)
    out = capsys.readouterr().out
    for words in (
        "kneecascade (n 2)",
        "0.850",
        "0.071",
        "other net",
        "0.860",
        "read in a table: other net",
        "note: a note",
    ):
        assert words in " ".join(out.split())
    assert result_record("x", protocol, ours, cases, True, "CC")["published"][0]["method"] == "other net"
    assert result_record("x", protocol, ours, cases, False, "CC")["published"] == []
    show_result("Knees", replace(protocol, rows=()), ours, 2, True)
    assert "ours stands alone" in capsys.readouterr().out


def test_what_is_not_the_published_protocol() -> None:
    protocol = Protocol("two knees", "test", 2)
    assert deviation(protocol, 2, True) == ""
    assert deviation(protocol, 1, True) == "1 cases were scored instead of 2"
    assert deviation(protocol, 2, False) == "not every fold was trained"
    assert deviation(replace(protocol, count=None), 7, True) == ""


def test_other_data_sets_are_not_taken_for_it(workspace: Workspace) -> None:
    folder = workspace.raw / "Dataset501_Other"
    folder.mkdir(parents=True)
    with pytest.raises(DatasetError, match="was not converted from oai_zib"):
        reproduce(workspace, "oai_zib")
    (folder / "conversion.json").write_text('{"source": "oai_zib"}')
    (folder / "splits.json").write_text("[]")
    with pytest.raises(DatasetError, match="holds other folds than five-fold"):
        reproduce(workspace, "oai_zib", ReproduceSettings())
