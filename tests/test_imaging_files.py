"""Tests of imaging.files."""

import numpy as np
import pytest
import SimpleITK as sitk
from plans import tiny_geometry

from kneecascade.core.case import LabelVolume
from kneecascade.errors import ImageError
from kneecascade.imaging.files import (
    grid_difference,
    read_geometry,
    read_labels,
    read_volume,
    write_channel,
    write_labels,
)

GRID = tiny_geometry((3, 4, 5), (2.0, 0.5, 0.7), (10.0, 20.0, 30.0))


def write(path, seed=0, geometry=GRID, dtype=np.float32):
    array = np.random.default_rng(seed).normal(100, 20, geometry.shape_zyx).astype(dtype)
    write_channel(array, geometry, path)
    return array


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".mha", ".nrrd"])
def test_channels_come_back_with_their_grid(tmp_path, ending):
    paths = [tmp_path / f"a_000{k}{ending}" for k in range(2)]
    arrays = [write(path, seed) for seed, path in enumerate(paths)]
    volume = read_volume(paths)
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.array, np.stack(arrays))
    assert grid_difference(volume.geometry, GRID) == ""
    assert grid_difference(read_geometry(paths[0]), GRID) == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)


def test_axes_are_z_y_x(tmp_path):
    image = sitk.Image(5, 4, 3, sitk.sitkFloat32)
    image[4, 0, 0] = 7.0
    image.SetSpacing((0.7, 0.5, 2.0))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    volume = read_volume([tmp_path / "a.nii.gz"])
    assert volume.array[0, 0, 0, 4] == 7
    assert volume.geometry.shape_zyx == (3, 4, 5)
    assert volume.geometry.spacing_mm == pytest.approx((2.0, 0.5, 0.7))


@pytest.mark.parametrize(("highest", "dtype"), [(255, np.uint8), (256, np.int16)])
def test_labels_come_back_in_the_smallest_type(tmp_path, highest, dtype):
    array = np.zeros(GRID.shape_zyx, dtype=np.int16)
    array[1, 2, 3] = highest
    write_labels(LabelVolume(array, GRID), tmp_path / "new" / "a.nii.gz")
    assert np.array_equal(read_labels(tmp_path / "new" / "a.nii.gz").array, array)
    stored = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "new" / "a.nii.gz")))
    assert stored.dtype == dtype


def test_missing_broken_and_fractional_files_are_named(tmp_path):
    with pytest.raises(ImageError, match=r"gone\.nii\.gz: no such file"):
        read_volume([tmp_path / "gone.nii.gz"])
    (tmp_path / "text.nii.gz").write_text("not an image")
    with pytest.raises(ImageError, match=r"text\.nii\.gz: cannot be read"):
        read_geometry(tmp_path / "text.nii.gz")
    write(tmp_path / "grey.nii.gz")
    with pytest.raises(ImageError, match=r"grey\.nii\.gz: a label file must hold whole numbers"):
        read_labels(tmp_path / "grey.nii.gz")
    with pytest.raises(ImageError, match="no image"):
        read_volume([])


@pytest.mark.parametrize(
    "ending",
    [".mha", ".nrrd", ".nii.gz", ".nii"],
)
def test_a_truncated_file_is_named(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    write(path, geometry=tiny_geometry((40, 40, 40)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=f"a{ending}: .*truncated"):
        read_volume([path])


def test_two_dimensions_and_vectors_are_refused(tmp_path):
    sitk.WriteImage(sitk.Image(5, 4, sitk.sitkFloat32), str(tmp_path / "flat.mha"))
    sitk.WriteImage(sitk.Image([5, 4, 3], sitk.sitkVectorFloat32, 2), str(tmp_path / "pair.mha"))
    for name, found in (("flat.mha", "2D"), ("pair.mha", "2 components")):
        with pytest.raises(ImageError, match=f"{name}: expected one 3D channel.*{found}"):
            read_geometry(tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_name_their_channel(tmp_path, value):
    # In NIfTI files SimpleITK turns them into zeros by itself.
    write(tmp_path / "a_0000.mha")
    array = write(tmp_path / "a_0001.mha")
    array[0, 0, 0] = value
    write_channel(array, GRID, tmp_path / "a_0001.mha")
    with pytest.raises(ImageError, match=r"a_0001\.mha: holds values that are not finite"):
        read_volume([tmp_path / "a_0000.mha", tmp_path / "a_0001.mha"])


def test_channels_on_different_grids_are_refused(tmp_path):
    write(tmp_path / "a_0000.nii.gz")
    write(tmp_path / "a_0001.nii.gz", geometry=tiny_geometry((3, 4, 5), (2.0, 0.5, 0.8), (10.0, 20.0, 30.0)))
    with pytest.raises(ImageError, match=r"a_0001\.nii\.gz: spacing"):
        read_volume([tmp_path / "a_0000.nii.gz", tmp_path / "a_0001.nii.gz"])


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (tiny_geometry((3, 4, 6), (2.0, 0.5, 0.7), (10.0, 20.0, 30.0)), "shape"),
        (tiny_geometry((3, 4, 5), (2.0, 0.5, 0.6), (10.0, 20.0, 30.0)), "spacing"),
        (tiny_geometry((3, 4, 5), (2.0, 0.5, 0.7), (10.0, 20.0, 29.0)), "direction"),
    ],
)
def test_grid_differences_are_named(other, difference):
    assert grid_difference(GRID, other).startswith(difference)


def test_a_header_and_its_data_file_go_together(tmp_path):
    labels = LabelVolume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), GRID)
    write_labels(labels, tmp_path / "knee.mhd")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["knee.mhd", "knee.zraw"]
    assert np.array_equal(read_labels(tmp_path / "knee.mhd").array, labels.array)
    with pytest.raises(ImageError, match=r"knee\.nonsense: cannot be written"):
        write_labels(labels, tmp_path / "knee.nonsense")
    assert len(list(tmp_path.iterdir())) == 2
