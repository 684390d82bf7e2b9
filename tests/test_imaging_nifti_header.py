"""kneecascade.imaging.nifti_header: where the voxels of a NIfTI file lie."""

from __future__ import annotations

import struct

import pytest

from kneecascade.imaging.nifti_header import VoxelLayout, voxel_layout


def header_1(dimensions: tuple[int, ...] = (3, 5, 6, 7, 1, 1, 1, 1), order: str = "<") -> bytearray:
    data = bytearray(348)
    struct.pack_into(order + "i", data, 0, 348)
    struct.pack_into(order + "8h", data, 40, *dimensions)
    struct.pack_into(order + "2h", data, 70, 16, 32)
    struct.pack_into(order + "f", data, 108, 352.0)
    data[344:348] = b"n+1\0"
    return data


def header_2() -> bytearray:
    data = bytearray(540)
    struct.pack_into("<i", data, 0, 540)
    data[4:8] = b"n+2\0"
    struct.pack_into("<2h", data, 12, 64, 64)
    struct.pack_into("<8q", data, 16, 4, 5, 6, 7, 2, 1, 1, 1)
    struct.pack_into("<q", data, 168, 544)
    return data


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_1(order: str) -> None:
    layout = voxel_layout(bytes(header_1(order=order)))
    assert layout == VoxelLayout(order, 16, 32, 352, 210)
    assert layout.end == 352 + 4 * 210


def test_nifti_2() -> None:
    assert voxel_layout(bytes(header_2())) == VoxelLayout("<", 64, 64, 544, 420)
    assert voxel_layout(bytes(header_2()[:400])) is None


@pytest.mark.parametrize("dimensions", [(0, 5, 6, 7, 1, 1, 1, 1), (9, 5, 6, 7, 1, 1, 1, 1)])
def test_a_broken_number_of_dimensions_is_left_to_the_reader(dimensions: tuple[int, ...]) -> None:
    assert voxel_layout(bytes(header_1(dimensions))) is None


def test_what_is_no_single_file_is_none() -> None:
    pair = header_1()
    pair[344:348] = b"ni1\0"
    odd = header_1()
    struct.pack_into("<f", odd, 108, float("nan"))
    for data in (pair, odd, b"", b"\0" * 600):
        assert voxel_layout(bytes(data)) is None
