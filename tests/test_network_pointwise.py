"""kneecascade.network.pointwise."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from kneecascade.network.blocks import Merge
from kneecascade.network.pointwise import PointwiseConv


@pytest.mark.parametrize("stride", [1, 2, (1, 2, 2)])
@pytest.mark.parametrize("bias", [False, True])
def test_equal_to_a_convolution_of_kernel_1(stride, bias):
    torch.manual_seed(0)
    conv = PointwiseConv(5, 3, stride, bias)
    x = torch.randn(2, 5, 4, 7, 6).contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    plain = functional.conv3d(x, conv.weight, conv.bias, stride)
    product = conv(x)
    torch.testing.assert_close(product, plain, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(conv.eval()(x), plain, rtol=1e-5, atol=1e-5)
    upstream = torch.randn_like(plain)
    inputs = (x, *conv.parameters())
    found = [torch.autograd.grad((out * upstream).sum(), inputs) for out in (product, plain)]
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_output_and_gradient_have_the_channels_last():
    conv = PointwiseConv(5, 3)
    x = torch.randn(1, 5, 4, 7, 6).contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    out = conv(x)
    assert out.is_contiguous(memory_format=torch.channels_last_3d)
    (gradient,) = torch.autograd.grad(out, x, torch.randn(1, 3, 4, 7, 6))
    assert gradient.is_contiguous(memory_format=torch.channels_last_3d)


def test_under_autocast_it_is_the_ordinary_convolution():
    conv = PointwiseConv(5, 3)
    x = torch.randn(1, 5, 4, 7, 6)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(conv(x), functional.conv3d(x, conv.weight), rtol=0, atol=0)


def test_the_state_is_that_of_a_convolution():
    assert Merge(6, 2, 4).state_dict()["reduce.weight"].shape == (4, 6, 1, 1, 1)
