"""kneecascade.network.aspp."""

from __future__ import annotations

import torch

from kneecascade.network.aspp import ASPP


def test_a_voxel_is_seen_at_the_rates_of_each_axis():
    aspp = ASPP(1, 1, ((1, 1, 1), (1, 2, 3))).eval()
    for parameter in aspp.parameters():
        torch.nn.init.ones_(parameter)
    for module in aspp.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.zeros_(module.bias)
    x = torch.zeros(1, 1, 9, 9, 9)
    x[0, 0, 4, 4, 4] = 1
    seen = aspp(x)[0, 0].nonzero().unique(dim=0)
    assert len(seen) == 27
    assert [seen[:, axis].unique().tolist() for axis in range(3)] == [[3, 4, 5], [2, 4, 6], [1, 4, 7]]


def test_shape():
    aspp = ASPP(6, 4, ((1, 1, 1), (2, 2, 2), (1, 4, 4)))
    assert aspp(torch.randn(1, 6, 3, 5, 4)).shape == (1, 4, 3, 5, 4)
