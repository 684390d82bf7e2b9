"""kneecascade.network.fit."""

from __future__ import annotations

import torch

from kneecascade.network.fit import cut_to_input, pad_to_multiple, total_stride


def test_total_stride_is_the_product_per_axis():
    assert total_stride([(1, 1, 1), (1, 2, 2), (2, 2, 2)]) == (2, 4, 4)


def test_padding_repeats_the_far_planes_only():
    x = torch.arange(3.0).reshape(1, 1, 1, 1, 3).expand(1, 1, 2, 4, 3)
    padded = pad_to_multiple(x, (2, 4, 4))
    assert padded.shape == (1, 1, 2, 4, 4)
    assert padded[0, 0, 0, 0].tolist() == [0.0, 1.0, 2.0, 2.0]


def test_what_fits_is_not_copied():
    x = torch.zeros(1, 1, 4, 4, 4)
    assert pad_to_multiple(x, (2, 4, 1)) is x


def test_coarser_maps_are_cut_to_the_rounded_up_size():
    maps = [torch.zeros(1, 1, 8, 8, 8), torch.zeros(1, 1, 8, 4, 4), torch.zeros(1, 1, 4, 2, 2)]
    cut = cut_to_input(maps, torch.Size((7, 8, 5)))
    assert [tuple(m.shape[2:]) for m in cut] == [(7, 8, 5), (7, 4, 3), (4, 2, 2)]
