"""kneecascade.network.build."""

from __future__ import annotations

from dataclasses import replace

from plans import tiny_medicalnet, tiny_resunet

from kneecascade.network.build import build_network, total_stride
from kneecascade.network.fine import FineNet
from kneecascade.network.resunet import ResUNet


def test_the_kind_decides():
    assert isinstance(build_network(tiny_resunet()), ResUNet)
    assert isinstance(build_network(tiny_medicalnet()), FineNet)


def test_total_stride():
    assert total_stride(tiny_resunet()) == (4, 4, 4)
    assert total_stride(replace(tiny_medicalnet(), strides=((1, 2, 2), (2, 2, 2), (1, 2, 2)))) == (2, 8, 8)
