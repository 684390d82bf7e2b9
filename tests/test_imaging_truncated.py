"""Tests of imaging.truncated."""

import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from plans import tiny_geometry

from kneecascade.imaging.files import write_channel
from kneecascade.imaging.truncated import is_truncated


def write(path, dtype=np.float32):
    array = np.random.default_rng(0).normal(100, 20, (20, 30, 10)).astype(dtype)
    write_channel(array, tiny_geometry((20, 30, 10)), path)
    return path.read_bytes()


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_any_cut_is_found_and_a_whole_file_is_whole(tmp_path, ending, dtype):
    path = tmp_path / f"a{ending}"
    data = write(path, dtype)
    assert not is_truncated(path)
    for length in (len(data) // 3, len(data) - 9, len(data) - 1):
        path.write_bytes(data[:length])
        assert is_truncated(path)


def test_voxels_missing_in_a_sound_gzip_file(tmp_path):
    path = tmp_path / "a.nii.gz"
    voxels = gzip.decompress(write(path))
    path.write_bytes(gzip.compress(voxels[:-100]))
    assert is_truncated(path)


def test_several_gzip_members_or_bytes_behind_the_voxels_are_no_fault(tmp_path):
    path = tmp_path / "a.nii.gz"
    voxels = gzip.decompress(write(path))
    path.write_bytes(gzip.compress(voxels[:500]) + gzip.compress(voxels[500:] + b"more"))
    assert not is_truncated(path)


def test_big_endian_headers_are_understood(tmp_path):
    path = tmp_path / "a.nii"
    data = bytearray(write(path, np.int16))
    for start, stop, width in ((0, 4, 4), (40, 56, 2), (70, 74, 2), (108, 112, 4)):
        for k in range(start, stop, width):
            data[k : k + width] = data[k : k + width][::-1]
    path.write_bytes(data)
    assert not is_truncated(path)
    path.write_bytes(data[:-1])
    assert is_truncated(path)


def test_other_files_are_left_to_the_reader(tmp_path):
    sitk.WriteImage(sitk.Image(5, 4, 3, sitk.sitkFloat32), str(tmp_path / "a.mha"))
    (tmp_path / "empty").write_bytes(b"")
    assert not is_truncated(tmp_path / "a.mha")
    assert not is_truncated(tmp_path / "empty")
