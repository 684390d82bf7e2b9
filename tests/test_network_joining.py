"""kneecascade.network.joining."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from kneecascade.network.blocks import Merge
from kneecascade.network.fold import fold_batchnorm
from kneecascade.network.joining import JoiningConv, resize

CASES = [((3, 3, 3), (2, 2, 2)), ((1, 3, 3), (1, 2, 2)), ((1, 3, 3), (2, 2, 2)), ((3, 3, 3), (4, 1, 2))]


@pytest.mark.parametrize(("kernel", "steps"), CASES)
def test_equal_to_enlarging_and_joining(kernel, steps):
    torch.manual_seed(0)
    join = JoiningConv(5, 4, kernel, padding=tuple(k // 2 for k in kernel))
    deep = torch.randn(2, 3, 4, 5, 3, requires_grad=True)
    skip = torch.randn(
        2, 2, *(n * step for n, step in zip((4, 5, 3), steps, strict=True)), requires_grad=True
    )
    plain = functional.conv3d(
        torch.cat([resize(deep, skip), skip], 1), join.weight, join.bias, padding=join.padding
    )
    fast = join(deep, skip)
    torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(plain)
    found = [
        torch.autograd.grad((out * weights).sum(), (deep, skip, join.weight, join.bias))
        for out in (fast, plain)
    ]
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_sizes_that_are_no_multiples_are_enlarged_first():
    join = JoiningConv(5, 4, 3, padding=1)
    deep, skip = torch.randn(1, 3, 3, 3, 3), torch.randn(1, 2, 5, 6, 6)
    plain = functional.conv3d(torch.cat([resize(deep, skip), skip], 1), join.weight, join.bias, padding=1)
    torch.testing.assert_close(join(deep, skip), plain)


def test_batchnorm_folds_into_it():
    torch.manual_seed(0)
    merge = Merge(6, 2, 4).eval()
    for norm in (merge.convs[0][1], merge.convs[1][1]):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    deep, skip = torch.randn(1, 6, 2, 3, 3), torch.randn(1, 2, 4, 6, 6)
    folded = fold_batchnorm(merge)
    assert isinstance(folded.convs[0][0], JoiningConv)
    assert isinstance(folded.convs[0][1], torch.nn.Identity)
    torch.testing.assert_close(folded(deep, skip), merge(deep, skip), rtol=1e-4, atol=1e-5)


def test_the_state_is_that_of_a_convolution():
    names = set(Merge(6, 2, 4).state_dict())
    assert {"reduce.weight", "convs.0.0.weight", "convs.0.1.running_mean", "convs.1.0.weight"} <= names


def test_resize_repeats():
    x = torch.arange(2.0).reshape(1, 1, 1, 1, 2)
    assert resize(x, torch.zeros(1, 1, 1, 2, 4))[0, 0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert resize(x, x) is x


def test_bfloat16_rounds_little_worse_than_before():
    torch.manual_seed(0)
    join = JoiningConv(32, 16, 3, padding=1, bias=False)
    deep, skip = torch.randn(1, 16, 6, 6, 6), torch.randn(1, 16, 12, 12, 12)
    with torch.no_grad():
        exact = join(deep, skip)
        rounded = join.bfloat16()
        fast = rounded(deep.bfloat16(), skip.bfloat16())
        both = torch.cat([resize(deep, skip), skip], 1).bfloat16()
        plain = functional.conv3d(both, rounded.weight, padding=1)
    assert (fast - exact).abs().mean() < 1.6 * (plain - exact).abs().mean()
