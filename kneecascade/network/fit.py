"""Sizes: padding an input to what a network can halve, cutting its outputs back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional

from kneecascade.core.geometry import Int3


def total_stride(strides: Sequence[Int3]) -> Int3:
    """Returns the product of strides (z, y, x): input voxels under one voxel of the deepest map."""
    z, y, x = (math.prod(stride[axis] for stride in strides) for axis in range(3))
    return (z, y, x)


def pad_to_multiple(x: torch.Tensor, multiple: Int3) -> torch.Tensor:
    """Repeats the last planes of (N, C, Z, Y, X) until every axis divides by `multiple`.

    Only the far ends grow, so voxel (0, 0, 0) keeps its place and nothing moves against the
    strides. Returns `x` itself where it fits.
    """
    z, y, x_axis = (-n % m for n, m in zip(x.shape[2:], multiple, strict=True))
    if not (z or y or x_axis):
        return x
    return functional.pad(x, (0, x_axis, 0, y, 0, z), mode="replicate")


def cut_to_input(outputs: list[torch.Tensor], shape_zyx: torch.Size) -> list[torch.Tensor]:
    """Cuts what padding added from maps of the padded input, the first at full resolution.

    A map at 1/s of the resolution keeps ceil(n / s) planes an axis.
    """
    full = outputs[0].shape[2:]
    cut = []
    for map_ in outputs:
        strides = (f // n for f, n in zip(full, map_.shape[2:], strict=True))
        z, y, x = (-(-n // s) for n, s in zip(shape_zyx, strides, strict=True))
        cut.append(map_[:, :, :z, :y, :x])
    return cut
