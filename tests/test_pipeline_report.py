"""kc_report on a folder as kc_predict leaves it: pipeline.report, pipeline.report_meshes."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kneecascade.biomarkers.table import Row, write_rows
from kneecascade.cli.report import main
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.files import write_json
from kneecascade.imaging.files import read_labels, write_channel, write_labels
from kneecascade.pipeline.report import ReportSettings, write_report

GRID = Geometry((24, 30, 20), (1.0, 1.0, 1.5), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def results_folder(folder: Path) -> Path:
    """Two knees segmented, one failed, as kc_predict writes them down."""
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[12:, 5:25, 4:16] = 1
    labels[9:12, 5:25, 4:16] = 2
    image = np.random.default_rng(0).normal(100, 20, GRID.shape_zyx).astype(np.float32)[None]
    out = folder / "out"
    cases: dict[str, dict[str, object]] = {}
    for name, flags in (("good", []), ("doubtful <b>", ["femoral_cartilage: 0.7 ml by the fine stage"])):
        write_channel(image[0], GRID, folder / "images" / f"{name}_0000.nii.gz")
        write_labels(LabelVolume(labels, GRID), out / f"{name}.nii.gz")
        cases[name] = {
            "file": str(out / f"{name}.nii.gz"),
            "images": [str(folder / "images" / f"{name}_0000.nii.gz")],
            "flags": flags,
            "side": "left",
            "quality": {"training_cases": 37},
            "region": {"fraction": 0.31, "whole": False},
            "volumes_ml": {"femur": 4.3, "femoral_cartilage": 1.08},
            "seconds": {"total": 1.5},
        }
    cases["broken"] = {"file": str(out / "broken.nii.gz"), "error": "broken.nii.gz: cannot be read"}
    head = {
        "labels": {"background": 0, "femur": 1, "femoral_cartilage": 2},
        "model": {"folder": "", "folds": ["fold_0"]},
    }
    write_json(out / "predictions.json", {**head, "cases": cases})
    return out


def embedded(path: Path) -> dict:
    held = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S
    )
    assert held is not None
    return json.loads(held[1])


def test_every_case_is_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = results_folder(tmp_path)
    assert main([str(out), "--no-3d", "--frames", "4"]) == 2
    assert "2 of 3 cases have a page" in capsys.readouterr().out
    data = embedded(out / "report.html")
    cases = {case["name"]: case for case in data["cases"]}
    assert cases["broken"]["error"] == "not segmented: broken.nii.gz: cannot be read"
    assert [len(plane["frames"]) for plane in cases["good"]["planes"]] == [4, 4, 4]
    assert cases["good"]["text"].startswith("left knee; 24 x 30 x 20 voxels")
    assert data["volume_labels"] == ["femoral_cartilage"]
    assert data["ranges"]["femoral_cartilage"] == [5.0, 25.0]


def test_biomarkers_and_scores_beside_the_results_are_shown(tmp_path: Path) -> None:
    out = results_folder(tmp_path)
    write_json(
        out / "scores.json",
        {"cases": {"good": {"femur": {"dice": 0.9, "assd_mm": 1}, "femoral_cartilage": {"dice": 0.8}}}},
    )
    (out / "biomarkers" / "good").mkdir(parents=True)
    row = "good,femoral_cartilage,all,ThCtAB,0.31,mm,normal"
    text = f"case,structure,region,measure,value,unit,method\n{row}\n"
    (out / "biomarkers" / "biomarkers.csv").write_text(text, "utf-8")
    (out / "biomarkers" / "good" / "femur_map.png").write_bytes(b"png")
    main([str(out), "--no-3d", "--frames", "2"])
    data = embedded(out / "report.html")
    good = next(case for case in data["cases"] if case["name"] == "good")
    assert good["dice"] == {"femur": 0.9, "femoral_cartilage": 0.8}
    assert data["dice_labels"] == ["femoral_cartilage"]
    assert good["measures"][0]["value"] == 0.31
    assert good["measures"][0]["range"] == [0.8, 4.0]
    assert good["maps"] == [{"name": "femur_map", "image": "data:image/png;base64,cG5n"}]


def test_measured_cartilage_is_coloured_by_its_thickness(tmp_path: Path) -> None:
    out = results_folder(tmp_path)
    thickness = np.where(read_labels(out / "good.nii.gz").array == 2, 2.5, 0).astype(np.float32)
    (out / "biomarkers").mkdir()
    (out / "biomarkers" / "biomarkers.csv").write_text("case,structure,region,measure,value,unit,method\n")
    write_channel(thickness, GRID, out / "biomarkers" / "good" / "thickness.nii.gz")
    other = Geometry(GRID.shape_zyx, (1.0, 1.0, 2.0))
    write_channel(thickness, other, out / "biomarkers" / "doubtful <b>" / "thickness.nii.gz")
    main([str(out), "--frames", "1"])
    cases = {case["name"]: case for case in embedded(out / "report.html")["cases"]}
    meshes = {mesh["name"]: mesh for mesh in cases["good"]["meshes"]}
    assert set(np.frombuffer(base64.b64decode(meshes["femoral_cartilage"]["values"]), np.float32)) == {2.5}
    assert meshes["femoral_cartilage"]["value_max"] == 5
    assert "values" not in meshes["femur"]
    assert not any("values" in mesh for mesh in cases["doubtful <b>"]["meshes"])


def test_an_image_that_moved_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = results_folder(tmp_path)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    assert main([str(out), "--no-3d", "--frames", "2"]) == 2
    assert "--images FOLDER" in capsys.readouterr().err
    settings = ReportSettings(images=tmp_path / "elsewhere", with_3d=False, frames=2)
    assert write_report(out, settings=settings) == 1
    assert sum("planes" in case for case in embedded(out / "report.html")["cases"]) == 2


def test_unchecked_results_are_told(tmp_path: Path) -> None:
    out = results_folder(tmp_path)
    predictions = json.loads((out / "predictions.json").read_text())
    del predictions["cases"]["good"]["quality"], predictions["cases"]["good"]["side"]
    write_json(out / "predictions.json", predictions)
    main([str(out), "--no-3d", "--frames", "1"])
    cases = {case["name"]: case for case in embedded(out / "report.html")["cases"]}
    assert cases["good"]["training_cases"] == 0
    assert cases["good"]["doubt"] == 0
    assert cases["doubtful <b>"]["doubt"] == 1
    assert cases["doubtful <b>"]["training_cases"] == 37
    assert cases["good"]["text"].startswith("side unknown")


def test_a_folder_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no predictions.json" in capsys.readouterr().err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_shows_it(tmp_path: Path) -> None:
    out = results_folder(tmp_path)
    predictions = json.loads((out / "predictions.json").read_text())
    predictions["cases"]["good"] |= {
        "flags": ["farther out"],
        "quality": {"training_cases": 37, "doubt": 3.0},
    }
    predictions["cases"]["doubtful <b>"]["flags"] *= 2
    write_json(out / "predictions.json", predictions)
    measured = (("cAB", 4593.2, "mm2", "interface"), ("dAB", None, "mm2", "why not"))
    rows = [Row("good", "femoral_cartilage", place, *one) for place in ("whole", "aMFC") for one in measured]
    write_rows(out / "biomarkers" / "biomarkers.csv", rows)
    main([str(out), "--frames", "3"])
    table = dumped(f"file://{out}/report.html", tmp_path)
    names = re.findall(r'<tr data-case="([^"]*)"', table)
    assert names == ["broken", "good", "doubtful &lt;b&gt;"]  # worst first
    assert "3 images, 3 with a reason for doubt" in table
    knee = dumped(f"file://{out}/report.html#case=good", tmp_path)
    assert re.findall(r'<figure data-plane="(\w+)"', knee) == ["sagittal", "coronal", "axial"]
    assert 'class="contours" src="data:image/png;base64,' in knee
    assert "js-plotly-plot" in knee
    # what is printed in place of the canvas
    assert re.search(r'<img class="paper"[^>]* id="picture3d" src="data:image/png;base64,[^"]{1000,}', knee)
    measures = knee[knee.index('id="measures"') :]
    assert re.findall(r"<th>([^<]*)</th>", measures)[:3] == ["region", "cAB, mm2", "dAB, mm2"]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", measures)
    assert cells[:6] == ["whole", "4593", "–", "aMFC", "4593", "–"]
    assert "cAB: interface. dAB: why not." in measures
    assert "<li>farther out</li>" in knee


def dumped(url: str, folder: Path) -> str:
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    flags += (
        " --disable-background-networking --disable-component-update --virtual-time-budget=8000 --dump-dom"
    )
    command = [str(CHROMIUM), *flags.split(), f"--user-data-dir={folder / 'profile'}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.S)
