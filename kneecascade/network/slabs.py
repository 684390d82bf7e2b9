"""The full-resolution end of a network, done in slabs: the same answer with a fraction of the memory.

Most memory of a forward over a whole region is taken by the maps at full resolution. Each of their voxels
depends on few around it, so they can be made slab by slab, a little thicker than what is kept of them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from kneecascade.allocator import give_back

Last = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
SLAB_VOXELS = 1_500_000
"""Of an image: below, one slab does, and the borders between slabs would only cost time."""


def in_slabs(
    last: Last,
    deep: torch.Tensor,
    image: torch.Tensor,
    reach: int,
    channels: int,
    slab_voxels: int = SLAB_VOXELS,
) -> torch.Tensor:
    """Returns `last(deep, image)`, computed in slabs along the image's longest axis.

    Args:
        last: maps (N, d, z, y, x) and (N, c, Z, Y, X) to (N, k, Z, Y, X) by operations that do not depend
            on the place, and pad with zeros.
        deep: a map whose sizes divide the image's.
        image: full resolution.
        reach: voxels around one that its answer depends on, along each axis.
        channels: k, of the answer.
        slab_voxels: aimed at in a slab.
    """
    axis = max((2, 3, 4), key=lambda a: image.shape[a])
    length, step = image.shape[axis], image.shape[axis] // deep.shape[axis]
    count = -(-image[0, 0].numel() // slab_voxels)
    thick = -(-length // count // step) * step
    around = -(-reach // step) * step
    wide = thick + 2 * around
    if wide >= length:
        return last(deep, image)
    give_back()  # what the maps before left in pieces; here a forward takes most
    # planar classes: softmax over them is several times faster
    answer = deep.new_empty((len(image), channels, *image.shape[2:]))
    for start in range(0, length, thick):
        stop = min(start + thick, length)
        # All slabs are equally thick: maps of one size find the memory that others left.
        low = max(0, min(start - around, length - wide))
        part = last(deep.narrow(axis, low // step, wide // step), image.narrow(axis, low, wide))
        answer.narrow(axis, start, stop - start).copy_(part.narrow(axis, start - low, stop - start))
    return answer
