from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.cli.predict import main
from kneecascade.errors import ImageError
from kneecascade.imaging.files import read_labels, read_volume, write_channel
from kneecascade.pipeline import drawing, predict
from kneecascade.workspace import Workspace

TABLES = ("labels.ctbl", "labels_itksnap.txt")


@pytest.fixture
def images(tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_grey_networks(monkeypatch)
    save_grey_model(workspace.results / "Dataset001_Tiny", folds=(0, 1))
    for k, name in enumerate(("one_0000.nii.gz", "two.mha")):
        volume, _ = knee(k)
        write_channel(volume.array[0], volume.geometry, tmp_path / "in" / name)
    return tmp_path / "in"


def _run(workspace: Workspace, *arguments: object) -> int:
    root = str(workspace.results.parent)
    return main([*map(str, arguments), "--workspace", root, "--device", "cpu"])


def test_a_folder(tmp_path: Path, images: Path, workspace: Workspace) -> None:
    out = tmp_path / "out"
    (images / "subjects.csv").write_text("case,subject,side\none,p,left\n")
    assert _run(workspace, "-i", images, "-o", out, "--pictures", "--save-coarse") == 0
    assert {p.name for p in out.iterdir()} == {
        "one.nii.gz",
        "two.mha",
        "predictions.json",
        "pictures",
        "coarse",
        *TABLES,
    }
    assert "2 cartilage 255 77 77 255" in (out / "labels.ctbl").read_text()
    assert {p.name for p in (out / "pictures").iterdir()} == {"one.png", "two.png"}
    assert {p.name for p in (out / "coarse").iterdir()} == {"one.nii.gz", "two.mha"}
    found, image = read_labels(out / "two.mha"), read_volume([images / "two.mha"])
    assert found.geometry == image.geometry
    assert np.mean(found.array == knee(1)[1].array) > 0.99
    report = json.loads((out / "predictions.json").read_text())
    assert report["model"]["folds"] == ["fold_0", "fold_1"]
    assert report["model"]["dataset"] == "Dataset001_Tiny"
    assert report["labels"] == {"background": 0, "bone": 1, "cartilage": 2}
    case = report["cases"]["one"]
    assert case["flags"] == []
    assert [report["cases"][name]["side"] for name in ("one", "two")] == ["left", "unknown"]
    assert case["volumes_ml"]["cartilage"] > 1
    assert 0 < case["region"]["fraction"] < 0.6
    assert {
        "read",
        "prepare",
        "coarse",
        "region",
        "fine",
        "restore",
        "quality",
        "write",
        "pictures",
        "total",
    } == set(case["seconds"])


def _cases(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / "predictions.json").read_text())["cases"]


def test_continue_keeps_what_was_done_with_the_same_model_image_and_settings(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run(workspace, "-i", images, "-o", out) == 0
    before = _cases(out)
    capsys.readouterr()
    assert _run(workspace, "-i", images, "-o", out, "--continue") == 0
    assert "2 images were finished" in capsys.readouterr().out
    assert _cases(out) == before
    (out / "two.mha").unlink()
    volume, _ = knee(7)
    write_channel(volume.array[0], volume.geometry, images / "one_0000.nii.gz")
    write_channel(volume.array[0], volume.geometry, images / "three.mha")
    assert _run(workspace, "-i", images, "-o", out, "--continue") == 0
    assert "0 images were finished" in capsys.readouterr().out
    again = _cases(out)
    assert list(again) == ["one", "three", "two"]
    assert again["one"]["image_hash"] != before["one"]["image_hash"]
    (out / "three.mha").unlink()
    assert _run(workspace, "-i", images, "-o", out, "--continue") == 0
    assert "2 images were finished" in capsys.readouterr().out
    assert _cases(out)["one"] == again["one"]


@pytest.mark.parametrize("change", ["settings", "weights", "folds", "failed", "record"])
def test_continue_does_again_what_another_run_would_do_differently(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    out = tmp_path / "out"
    assert _run(workspace, "-i", images / "two.mha", "-o", out) == 0
    capsys.readouterr()
    more = {"settings": ["--tta"], "folds": ["-f", "0"]}.get(change, [])
    if change == "weights":
        save_grey_model(workspace.results / "Dataset001_Tiny", folds=(0, 1), shift=0.01)
    if change in {"failed", "record"}:
        file = out / "predictions.json"
        report = json.loads(file.read_text())
        report["cases"]["two"] = {"file": str(out / "two.mha"), "error": "disk full"}
        file.write_text(json.dumps(report) if change == "failed" else "{")
    assert _run(workspace, "-i", images / "two.mha", "-o", out, "--continue", *more) == 0
    assert "0 images were finished" in capsys.readouterr().out
    assert "error" not in _cases(out)["two"]


def test_tta_says_its_price(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(workspace, "-i", images / "two.mha", "-o", tmp_path / "out", "--tta") == 0
    assert "8 times the networks' time" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "predictions.json").read_text())["settings"]["tta"] is True


def test_debug_shows_where_a_case_failed(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "alas.nii.gz").write_bytes(b"truncated")
    for flags, traced in ((["--debug"], True), ([], False)):
        assert _run(workspace, "-i", images, "-o", tmp_path / "out", *flags) == 2
        assert ("Traceback" in capsys.readouterr().err) == traced


def test_one_file_with_one_fold_to_a_file_name(tmp_path: Path, images: Path, workspace: Workspace) -> None:
    target = tmp_path / "result" / "mine.nii.gz"
    assert _run(workspace, "-i", images / "two.mha", "-o", target, "-d", "1", "-f", "1") == 0
    assert {p.name for p in target.parent.iterdir()} == {"mine.nii.gz", "predictions.json", *TABLES}
    assert json.loads((target.parent / "predictions.json").read_text())["model"]["folds"] == ["fold_1"]


def test_a_bad_file_does_not_stop_the_others(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "alas.nii.gz").write_bytes(b"truncated")
    out = tmp_path / "out"
    assert _run(workspace, "-i", images, "-o", out) == 2
    assert {p.name for p in out.iterdir()} == {"one.nii.gz", "two.mha", "predictions.json", *TABLES}
    shown = capsys.readouterr()
    assert shown.err.count("warning:") == 1
    assert "alas" in shown.err
    assert "2 of 3 images segmented" in shown.out
    cases = json.loads((out / "predictions.json").read_text())["cases"]
    assert "alas.nii.gz" in cases["alas"]["error"]
    assert "error" not in cases["one"]


def test_results_there_already_are_overwritten_and_said(
    tmp_path: Path, images: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "one.nii.gz").write_bytes(b"old")
    assert _run(workspace, "-i", images, "-o", out) == 0
    assert "1 results are there already" in capsys.readouterr().out
    assert read_labels(out / "one.nii.gz").array.max() == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "7"], "not trained: fold 7"),
        (["--step-size", "0"], "step size 0.0"),
        (["-d", "9"], "9: no such data set"),
    ],
)
def test_mistakes_end_in_one_line(
    tmp_path: Path,
    images: Path,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert _run(workspace, "-i", images, "-o", tmp_path / "out", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_image_can_be_read(
    tmp_path: Path, images: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ImageError("nothing can be read today")

    monkeypatch.setattr(predict, "read_volume", refuse)
    assert _run(workspace, "-i", images, "-o", tmp_path / "out") == 2


def test_a_picture_lies_on_the_canonical_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plans import tiny_plan

    seen: list[np.ndarray] = []
    monkeypatch.setattr(
        drawing, "overlay_png", lambda path, image, labels, *rest, **more: seen.extend([image, labels])
    )
    volume, labels = knee(0)
    drawing.draw_result(tmp_path / "x.png", volume, labels, tiny_plan(), "title")
    image, classes = seen
    assert image.shape == classes.shape
    assert image[classes == 2].mean() > 100 > image[classes == 1].mean()


def test_help_is_quick_to_import() -> None:
    code = "import sys; from kneecascade.cli import predict; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_report_without_its_extra_is_refused_before_the_work(
    tmp_path: Path, images: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    assert _run(workspace, "-i", images, "-o", tmp_path / "out", "--report") == 2
    assert not (tmp_path / "out").exists()


def test_a_report_with_the_prediction(tmp_path: Path, images: Path, workspace: Workspace) -> None:
    out = tmp_path / "out"
    assert _run(workspace, "-i", images, "-o", out, "--report") == 0
    assert "one" in (out / "report.html").read_text("utf-8")
