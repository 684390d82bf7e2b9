"""kneecascade.network.blocks."""

from __future__ import annotations

import torch

from kneecascade.network.blocks import ConvNorm, Merge, ResidualBlock, initialise


def test_conv_keeps_the_size_with_any_kernel_and_dilation():
    block = ConvNorm(1, 2, (1, 3, 3), dilation=(1, 2, 3))
    assert block(torch.zeros(2, 1, 4, 9, 9)).shape == (2, 2, 4, 9, 9)


def test_residual_block_adds_its_input():
    block = ResidualBlock(2, 2, (3, 3, 3)).eval()
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(1, 2, 4, 4, 4)
    assert torch.equal(block(x), x)


def test_residual_block_strides_per_axis():
    assert ResidualBlock(2, 4, (3, 3, 3), (1, 2, 2))(torch.zeros(2, 2, 4, 8, 6)).shape == (2, 4, 4, 4, 3)


def test_merge_works_where_both_maps_have_one_resolution():
    merge = Merge(3, 2, 4)
    skip = torch.zeros(2, 2, 4, 6, 6)
    assert merge(torch.zeros(2, 3, 2, 3, 3), skip).shape == (2, 4, 4, 6, 6)
    assert merge(torch.zeros(2, 3, 4, 6, 6), skip).shape == (2, 4, 4, 6, 6)


def test_heads_start_small_other_convolutions_do_not():
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Conv3d(8, 8, 1, bias=False), torch.nn.Conv3d(8, 8, 1))
    initialise(layers)
    assert layers[0].weight.std() > 0.2
    assert layers[1].weight.std() < 0.03
