"""A convolution over an enlarged map joined to another, without ever enlarging or joining them."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from kneecascade.core.geometry import Int3


class JoiningConv(nn.Conv3d):
    """What a Conv3d of stride 1 makes of cat([repeated deep, skip]).

    A convolution is linear: its part over the skip's channels stays one, its part over the repeated map is a
    transposed convolution of the small map, whose kernel holds the sums of the weights that meet the same
    small voxel: 8 multiplications where there were 27. The state dict is that of the Conv3d.

    On a GPU, where this was not measured, and where the sizes are no multiples, maps are enlarged and joined.

    Attributes:
        enlarging: do so everywhere.
    """

    enlarging = False

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """(N, deep, z, y, x) and (N, skip, Z, Y, X) -> (N, out, Z, Y, X), in = deep + skip channels."""
        steps = _steps(deep, skip)
        if self.enlarging or steps is None or deep.device.type != "cpu":
            return super().forward(torch.cat([resize(deep, skip), skip], dim=1))
        channels = deep.shape[1]
        kernel = repeated_kernel(self.weight[:, :channels], steps)
        outside = tuple(k - 1 - k // 2 for k in self.kernel_size)
        far = functional.conv_transpose3d(deep, kernel, None, steps, outside)
        return functional.conv3d(skip, self.weight[:, channels:], self.bias, 1, self.padding).add_(far)


def repeated_kernel(weight: torch.Tensor, steps_zyx: Int3) -> torch.Tensor:
    """Returns the kernel of the transposed convolution that equals repeating, then convolving.

    Args:
        weight: of the convolution, (out, in, z, y, x), odd sizes, "same" padding.
        steps_zyx: how often each voxel is repeated.

    Returns:
        (in, out, z, y, x), each axis longer by its step less 1.
    """
    kernel = weight.flip(2, 3, 4).transpose(0, 1)
    for axis, step in enumerate(steps_zyx):
        if step > 1:
            sides = [(k, step - 1 - k) for k in range(step)]
            before = (0, 0) * (2 - axis)
            kernel = torch.stack([functional.pad(kernel, (*before, *side)) for side in sides]).sum(0)
    return kernel


def resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Repeats voxels until `x` has the grid of `like`; returns `x` where it has it already."""
    if x.shape[2:] == like.shape[2:]:
        return x
    return functional.interpolate(x, size=like.shape[2:], mode="nearest")


def _steps(deep: torch.Tensor, skip: torch.Tensor) -> Int3 | None:
    """Returns how often each voxel is repeated; None where not at all, or not all as often."""
    pairs = list(zip(deep.shape[2:], skip.shape[2:], strict=True))
    if any(large % small for small, large in pairs) or all(large == small for small, large in pairs):
        return None
    z, y, x = (large // small for small, large in pairs)
    return (z, y, x)
