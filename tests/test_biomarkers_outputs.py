"""What is written: biomarkers.table, biomarkers.vtp, biomarkers.flatten, biomarkers.picture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from skimage import io
from solid_joints import box_geometry, cylinder, layered, turned

from kneecascade.biomarkers.curvature import curvature
from kneecascade.biomarkers.flatten import flatten
from kneecascade.biomarkers.frame import find_frame
from kneecascade.biomarkers.joint import Joint, make_joint
from kneecascade.biomarkers.mesh import Mesh
from kneecascade.biomarkers.picture import curvature_map, thickness_map
from kneecascade.biomarkers.table import Row, read_rows, write_rows
from kneecascade.biomarkers.vtp import write_vtp
from kneecascade.errors import InputError

TETRAHEDRON = Mesh(
    np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)


@pytest.fixture(scope="module")
def condyle() -> Joint:
    """A roll across the knee whose lower half is covered, 2 mm thick."""
    geometry = box_geometry((0.7, 0.7, 0.7), 40, turned(0))
    labels = layered(cylinder(15.0, np.array([1.0, 0, 0])), 2.0, geometry).array
    labels[labels.shape[0] // 2 :][labels[labels.shape[0] // 2 :] == 2] = 0
    frame = find_frame("right", None)
    joint = make_joint("femur", "femoral_cartilage", labels == 1, labels == 2, geometry, frame)
    assert joint is not None
    return joint


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [
        Row("a, b", "femur", "whole", "volume", 152.123456, "ml", "counted"),
        Row("c", "tibia", "x", "FCL", None, "%", 'no "bone"'),
    ]
    path = tmp_path / "table.csv"
    write_rows(path, rows)
    assert path.read_text().splitlines()[0] == "case,structure,region,measure,value,unit,method"
    back = read_rows(path)
    assert back[0].value == pytest.approx(152.123, abs=1e-3)
    assert [row.method for row in back] == ["counted", 'no "bone"']
    assert back[1].value is None


@pytest.mark.parametrize(
    "text", ["", "case,value\na,1\n", "case,structure,region,measure,value,unit,method\na,b,c\n"]
)
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"table\.csv"):
        read_rows(path)
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "none.csv")


def test_vtk_reads_surfaces_with_their_numbers(tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista")
    scalars = {"thickness_mm": np.array([1.5, np.nan, 0, 4]), "covered": np.array([True, False, True, True])}
    write_vtp(tmp_path / "a.vtp", TETRAHEDRON, scalars)
    read = pyvista.read(tmp_path / "a.vtp")
    np.testing.assert_allclose(read.points, TETRAHEDRON.vertices_mm)
    np.testing.assert_array_equal(read.faces.reshape(-1, 4)[:, 1:], TETRAHEDRON.faces)
    np.testing.assert_array_equal(read["thickness_mm"], scalars["thickness_mm"].astype(np.float32))
    assert read["covered"].tolist() == [1, 0, 1, 1]
    assert read.volume == pytest.approx(1 / 6)
    write_vtp(tmp_path / "empty.vtp", Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)), {})
    assert pyvista.read(tmp_path / "empty.vtp").n_points == 0
    assert not list(tmp_path.glob(".writing*"))


def test_the_femur_is_unrolled_to_scale(condyle: Joint) -> None:
    flat = flatten(condyle, find_frame("right", None))
    used = np.unique(flat.faces)
    middle = used[np.abs(flat.across_mm[used]) < 1]
    # half a circle of 15 mm, front to back, straight down in the middle
    assert np.ptp(flat.along_mm[middle]) == pytest.approx(math.pi * 15, rel=0.04)
    assert "at 15 mm" in flat.along_name
    assert abs(flat.along_mm[middle].mean()) < 1
    front = middle[np.argmin(flat.along_mm[middle])]
    assert condyle.mesh.vertices_mm[front, 1] < -13


@pytest.mark.parametrize("bone", ["tibia", "patella"])
def test_the_others_are_projected(condyle: Joint, bone: str) -> None:
    joint = Joint(**{**vars(condyle), "bone": bone})
    flat = flatten(joint, find_frame("left", None))
    used = np.unique(flat.faces)
    assert np.ptp(flat.across_mm[used]) == pytest.approx(40, abs=1.5)
    points = condyle.mesh.vertices_mm[used]
    expected = points[:, 1] if bone == "tibia" else -points[:, 2]
    assert np.ptp(flat.along_mm[used] - expected) < 1e-6


@pytest.mark.parametrize("side", ["right", "unknown"])
def test_a_map_shows_the_thickness(tmp_path: Path, condyle: Joint, side: str) -> None:
    from matplotlib import colormaps

    path = tmp_path / "map.png"
    half = condyle.mesh.vertices_mm[:, 0] > 0
    regions = {"medial": half & condyle.total, "lateral": ~half & condyle.total}
    thickness_map(path, "case", condyle, find_frame(side, None), regions)  # type: ignore[arg-type]
    image = io.imread(path)[..., :3] / 255.0
    two_mm = np.array(colormaps["viridis"](2.0 / 5.0)[:3])
    shown = (np.abs(image - two_mm).max(axis=-1) < 0.06).mean()
    assert shown > 0.1
    assert not list(tmp_path.glob(".writing*"))


def test_a_map_shows_the_curvature(tmp_path: Path, condyle: Joint) -> None:
    from matplotlib import colormaps

    path = tmp_path / "map.png"
    shape = curvature(condyle.mesh, condyle.total)
    curvature_map(path, "case", condyle, find_frame("right", None), {}, shape)
    image = io.imread(path)[..., :3] / 255.0
    # a roll of 15 mm: mean curvature 1/30 on a scale from -0.1 to 0.1
    rolled = np.array(colormaps["RdBu_r"]((1 / 30 + 0.1) / 0.2)[:3])
    assert (np.abs(image - rolled).max(axis=-1) < 0.08).mean() > 0.1


def test_a_map_shows_the_curvature_of_the_articular_surface(tmp_path: Path, condyle: Joint) -> None:
    from matplotlib import colormaps

    path, frame = tmp_path / "map.png", find_frame("right", None)
    flat = flatten(condyle, frame, articular=True)
    assert len(flat.across_mm) == len(condyle.articular.vertices_mm)
    middle = np.unique(flat.faces)[np.abs(flat.across_mm[np.unique(flat.faces)]) < 1]
    assert np.ptp(flat.along_mm[middle]) == pytest.approx(math.pi * 17, rel=0.05)
    half = condyle.mesh.vertices_mm[:, 0] > 0
    regions = {"medial": half & condyle.total, "lateral": ~half & condyle.total}
    curvature_map(path, "case", condyle, frame, regions, curvature(condyle.articular), articular=True)
    image = io.imread(path)[..., :3] / 255.0
    rolled = np.array(colormaps["RdBu_r"]((1 / 34 + 0.1) / 0.2)[:3])
    assert (np.abs(image - rolled).max(axis=-1) < 0.08).mean() > 0.1
    none = Joint(**{**vars(condyle), "total": np.zeros_like(condyle.covered)})
    curvature_map(path, "case", none, frame, regions, curvature(condyle.articular), articular=True)


def test_a_bone_without_cartilage_still_has_a_map(tmp_path: Path, condyle: Joint) -> None:
    none = np.zeros_like(condyle.covered)
    joint = Joint(**{**vars(condyle), "covered": none, "total": none})
    thickness_map(tmp_path / "map.png", "case", joint, find_frame("left", None), {})
    assert (tmp_path / "map.png").is_file()
