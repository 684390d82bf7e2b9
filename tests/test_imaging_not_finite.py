"""NaN and infinity in NIfTI files, which SimpleITK reads as 0."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from plans import tiny_geometry

from kneecascade.errors import ImageError
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import read_labels, read_volume, write_channel
from kneecascade.imaging.not_finite import count_not_finite


def write(path: Path, dtype: type = np.float32, odd: tuple[float, ...] = ()) -> Path:
    array = np.random.default_rng(0).normal(100, 20, (6, 7, 8)).astype(dtype)
    array.ravel()[: len(odd)] = odd
    write_channel(array, tiny_geometry((6, 7, 8)), path)
    return path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_odd_value_is_counted(tmp_path: Path, ending: str, dtype: type) -> None:
    odd = write(tmp_path / f"odd{ending}", dtype, (np.nan, np.inf, -np.inf))
    assert np.count_nonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(odd))) == 0) == 3
    assert count_not_finite(odd) == 3
    assert count_not_finite(write(tmp_path / f"sound{ending}", dtype)) == 0


def test_files_of_integers_and_other_formats_count_nothing(tmp_path: Path) -> None:
    assert count_not_finite(write(tmp_path / "a.nii.gz", np.int16)) == 0
    assert count_not_finite(write(tmp_path / "a.mha", np.float32, (np.nan,))) == 0
    (tmp_path / "empty").write_bytes(b"")
    assert count_not_finite(tmp_path / "empty") == 0


def test_big_endian_voxels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.float32, (np.nan,))
    data = bytearray(path.read_bytes())
    fields = ((0, 4, 4), (40, 56, 2), (70, 74, 2), (76, 112, 4), (352, len(data), 4))
    for start, stop, width in fields:
        for k in range(start, stop, width):
            data[k : k + width] = data[k : k + width][::-1]
    path.write_bytes(data)
    assert count_not_finite(path) == 1


def test_a_name_that_lies_about_compression(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.float32, (np.nan,))
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert count_not_finite(path) == 1


def test_nobody_reads_them_as_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.float32, (np.nan, np.inf))
    for read in (lambda: read_volume([path]), lambda: read_labels(path), lambda: read_channels(path)):
        with pytest.raises(ImageError, match=r"a\.nii\.gz: holds values that are not finite \(2 voxels"):
            read()


def test_channels_in_a_truncated_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    sitk.WriteImage(sitk.Image([5, 4, 3, 2], sitk.sitkInt16), str(path))
    assert len(read_channels(path)[0]) == 2
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ImageError, match="is truncated"):
        read_channels(path)
