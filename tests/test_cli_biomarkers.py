"""kc_biomarkers through its command: pipeline.biomarkers, pipeline.biomarker_files, pipeline.visits."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from kneecascade.biomarkers.table import read_rows
from kneecascade.cli.biomarkers import main
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.files import read_geometry, read_labels, read_volume, write_labels
from kneecascade.phantom.anatomy import NAMES, labels_on, make_knee

GEOMETRY = Geometry((80, 80, 60), (1.5, 1.5, 1.6667), (20.0, -60.0, -50.0))
NAMED = {name: k for k, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def array() -> np.ndarray:
    return labels_on(make_knee((3,), GEOMETRY.extent_mm, "right"), GEOMETRY.shape_zyx)


@pytest.fixture
def folder(tmp_path: Path, array: np.ndarray) -> Path:
    labels = tmp_path / "labels"
    for name, values in (("a", array), ("b", array[:, :, ::-1])):
        write_labels(LabelVolume(values, GEOMETRY), labels / f"{name}.nii.gz")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": NAMED}))
    (tmp_path / "subjects.csv").write_text("case,subject,side\na,p,right\nb,p,L\n")
    return labels


def test_a_folder_is_measured(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.nii.gz").write_bytes(b"no image")
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out)]) == 2
    shown = capsys.readouterr()
    assert "bad: not measured" in shown.err
    assert "2 of 3 cases measured" in shown.out
    assert "femoral_cartilage volume, ml" in shown.out
    assert "tibial_cartilage, medial ThCcAB, mm" in shown.out
    with (out / "summary.csv").open(newline="") as stream:
        summary = {(r["structure"], r["region"], r["measure"]): r for r in csv.DictReader(stream)}
    assert summary["femur", "whole", "volume"]["n"] == "2"
    rows = read_rows(out / "biomarkers.csv")
    assert {row.case for row in rows} == {"a", "b"}
    values = [
        {(r.region, r.structure, r.measure, r.method): r.value for r in rows if r.case == c} for c in "ab"
    ]
    assert values[0].keys() == values[1].keys()
    for key, value in values[0].items():
        assert values[1][key] == value, key
    said = json.loads((out / "biomarkers.json").read_text())
    assert [said["cases"][c]["side"] for c in "ab"] == ["right", "left"]
    assert list(said["problems"]) == ["bad"]
    thickness = out / "a/thickness.nii.gz"
    assert read_geometry(thickness) == read_geometry(folder / "a.nii.gz")
    assert 1 < read_volume([thickness]).array.max() <= 10
    made = {path.name for path in (out / "a").iterdir()}
    for bone, cartilage in (("femur", "femoral"), ("tibia", "tibial"), ("patella", "patellar")):
        assert {
            f"map_{bone}.png",
            f"map_{bone}_curvature.png",
            f"map_{cartilage}_cartilage_curvature.png",
            f"{bone}.vtp",
            f"{cartilage}_cartilage.vtp",
        } <= made


def test_vtk_reads_the_surfaces_that_are_written(folder: Path, tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista")
    assert main(["-i", str(folder / "a.nii.gz"), "-o", str(tmp_path / "out"), "--no-pictures"]) == 0
    made = tmp_path / "out/a"
    volumes = {
        r.structure: r.value for r in read_rows(made / "biomarkers.csv") if r.measure == "surface_volume"
    }
    curved = {"curvature_mean_per_mm", "curvature_gaussian_per_mm2", "shape_index"}
    for bone, cartilage in (("femur", "femoral"), ("tibia", "tibial"), ("patella", "patellar")):
        surface = pyvista.read(made / f"{bone}.vtp")
        assert set(surface.array_names) == {"thickness_mm", "nearest_mm", "covered", "joint_surface", *curved}
        covered = surface["covered"] > 0
        assert 0.1 < covered.mean() < 0.9
        assert np.isfinite(surface["thickness_mm"][covered]).all()
        assert np.isnan(surface["thickness_mm"][~covered]).all()
        assert 1 < np.median(surface["thickness_mm"][covered]) < 5
        closed = pyvista.read(made / f"{cartilage}_cartilage.vtp")
        assert closed.n_open_edges == 0
        assert closed.volume / 1000 == pytest.approx(volumes[f"{cartilage}_cartilage"], rel=1e-3)
        articular = pyvista.read(made / f"{cartilage}_cartilage_surface.vtp")
        assert set(articular.array_names) == curved
        assert np.isfinite(articular["curvature_mean_per_mm"]).any()
        # LPS: all of the knee lies where the image lies
        low, high = np.array(GEOMETRY.origin_mm_xyz), np.array(GEOMETRY.origin_mm_xyz) + 122
        for mesh in (surface, closed, articular):
            assert (mesh.points > low - 3).all()
            assert (mesh.points < high).all()


def test_what_is_done_is_kept(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["-i", str(folder), "-o", str(out), "--no-pictures", "--no-meshes", "--continue"]
    assert main(command) == 0
    assert not list(out.rglob("*.png")) + list(out.rglob("*.vtp"))
    (out / "a/measures.json").unlink()
    (folder / "b.nii.gz").write_bytes(b"would fail")
    assert main(command) == 0
    assert {row.case for row in read_rows(out / "biomarkers.csv")} == {"a", "b"}


def test_visits_are_compared(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "subjects.csv").write_text("case,subject,side,visit\na,p,right,00m\nb,p,right,12m\n")
    array = read_labels(folder / "a.nii.gz").array
    array[:, :, 30:][array[:, :, 30:] == 2] = 0
    write_labels(LabelVolume(array, GEOMETRY), folder / "b.nii.gz")
    out = tmp_path / "out"
    command = ["-i", str(folder), "-o", str(out), "--no-pictures", "--no-meshes", "--longitudinal"]
    assert main(command) == 0
    assert "1 knees with several visits" in capsys.readouterr().out
    with (out / "longitudinal.csv").open(newline="") as stream:
        changes = {(r["structure"], r["region"], r["measure"]): r for r in csv.DictReader(stream)}
    lost = changes["femoral_cartilage", "whole", "volume"]
    assert -70 < float(lost["percent"]) < -30
    assert float(changes["patellar_cartilage", "whole", "volume"]["percent"]) == 0
    assert lost["source"].startswith("published")
    assert (
        main([*command[:4], "--side", "left", "--continue", "--longitudinal", "--subjects", "none.csv"]) == 2
    )


def test_sides_come_from_the_prediction(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text("case,subject,side\na,p,\nb,p,left\n")
    sides = {"a": {"side": "right"}, "b": {"side": "right"}, "c": {"error": "not read"}}
    (folder / "predictions.json").write_text(json.dumps({"labels": NAMED, "cases": sides}))
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out), "--no-pictures", "--no-meshes"]) == 0
    said = json.loads((out / "biomarkers.json").read_text())["cases"]
    assert [said[c]["side"] for c in "ab"] == ["right", "left"]


def test_names_and_side_by_word(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{name}={value}" for name, value in NAMED.items() if value]
    command = ["-i", str(folder / "a.nii.gz"), "-o", str(tmp_path / "one"), "--no-pictures"]
    assert main([*command, "--side", "unknown", "--labels", *words]) == 0
    assert "side unknown" in capsys.readouterr().err
    assert not any(row.region == "medial" for row in read_rows(tmp_path / "one/biomarkers.csv"))
    assert main([*command, "--preset", "ski10"]) == 2
    assert "label 5 has no name" in capsys.readouterr().err


def test_what_cannot_be_used_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "labels"
    empty.mkdir()
    assert main(["-i", str(empty), "-o", str(tmp_path / "out")]) == 2
    assert "no label file" in capsys.readouterr().err
    write_labels(LabelVolume(np.zeros((4, 4, 4), np.uint8), GEOMETRY), empty / "a.nii.gz")
    assert main(["-i", str(empty), "-o", str(tmp_path / "out")]) == 2
    assert "give --preset or --labels" in capsys.readouterr().err
    assert main(["-i", str(tmp_path / "none"), "-o", str(tmp_path / "out")]) == 2
    assert "no such f" in capsys.readouterr().err
