"""kneecascade.planning.topology."""

from __future__ import annotations

import pytest

from kneecascade.core.geometry import Float3, Int3
from kneecascade.planning.topology import (
    aspp_rates,
    medicalnet_plan,
    multiplied,
    resunet_plan,
    rounded_up,
    total_stride,
)

ISO: Float3 = (1.0, 1.0, 1.0)


def test_five_levels_where_the_image_is_large() -> None:
    plan = resunet_plan((144, 144, 80), ISO, 1, 7)
    assert plan.features == (16, 32, 64, 128, 160)
    assert plan.strides == ((1, 1, 1), *[(2, 2, 2)] * 4)
    assert plan.kernels == ((3, 3, 3),) * 5
    assert len(plan.blocks) == 5


def test_feature_maps_keep_four_voxels() -> None:
    assert total_stride(resunet_plan((35, 50, 36), ISO, 1, 3)) == (8, 8, 8)
    assert total_stride(resunet_plan((12, 50, 12), ISO, 1, 3)) == (2, 8, 2)
    tiny = resunet_plan((6, 5, 7), ISO, 1, 3)
    assert (tiny.features, tiny.strides) == ((16,), ((1, 1, 1),))


def test_thick_slices_are_strided_and_convolved_later() -> None:
    plan = resunet_plan((24, 256, 256), (3.5, 0.6, 0.6), 1, 3)
    assert plan.strides == ((1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))
    assert plan.kernels == ((1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))


@pytest.mark.parametrize(
    ("shape", "spacing", "strides"),
    [
        ((64, 96, 96), ISO, ((2, 2, 2), (2, 2, 2), (2, 2, 2))),
        ((36, 52, 36), ISO, ((2, 2, 2), (2, 2, 2), (1, 1, 1))),
        ((24, 160, 160), (3.5, 0.3, 0.3), ((1, 2, 2), (1, 2, 2), (1, 2, 2))),
        ((64, 160, 160), (1.0, 0.3, 0.3), ((1, 2, 2), (2, 2, 2), (2, 2, 2))),
        ((9, 10, 11), ISO, ((1, 1, 1),) * 3),
    ],
)
def test_medicalnet_strides(shape: Int3, spacing: Float3, strides: tuple[Int3, ...]) -> None:
    plan = medicalnet_plan(shape, spacing, 2, 5, 18, 64)
    assert plan.strides == strides
    assert (plan.in_channels, plan.num_classes, plan.depth, plan.width) == (2, 5, 18, 64)
    assert plan.aspp_channels == 128
    features = [n // s for n, s in zip(shape, multiplied(strides), strict=True)]
    assert plan.aspp_rates[0] == (1, 1, 1)
    for rate in plan.aspp_rates[1:]:
        assert rate != (1, 1, 1)
        assert all(r == 1 or r <= n / 2 - 1 for r, n in zip(rate, features, strict=True))


def test_rates_follow_feature_size_and_spacing() -> None:
    eight = [(8, 8, 8)]
    assert aspp_rates((160, 160, 160), ISO, eight) == ((1, 1, 1), (2, 2, 2), (4, 4, 4), (6, 6, 6))
    assert aspp_rates((64, 96, 96), ISO, eight) == ((1, 1, 1), (2, 2, 2), (3, 4, 4), (3, 5, 5))
    assert aspp_rates((160, 160, 160), (2.0, 1.0, 1.0), eight)[2:] == ((2, 4, 4), (3, 6, 6))
    assert aspp_rates((32, 32, 32), ISO, eight) == ((1, 1, 1),)


def test_rounding_up() -> None:
    assert rounded_up((35, 50, 36), (8, 4, 1)) == (40, 52, 36)
    assert multiplied([]) == (1, 1, 1)
