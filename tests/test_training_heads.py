import numpy as np
import pytest
import torch
from plans import tiny_medicalnet, tiny_plan, tiny_resunet
from prepared import cube_case

from kneecascade.network.build import build_network
from kneecascade.training.cases import stage_case
from kneecascade.training.heads import label_frequencies, start_heads
from kneecascade.training.patches import PatchSource


def test_frequencies_are_those_of_patches():
    case = stage_case(cube_case(1), "fine", tiny_plan())
    found = label_frequencies(PatchSource([case], (16, 16, 16), (1.0,) * 3), 3, (0,))
    assert found.sum() == pytest.approx(1)
    assert found[0] > 0.5
    assert found[2] > 0.02


@pytest.mark.parametrize("plan", [tiny_resunet(), tiny_medicalnet()], ids=lambda plan: plan.kind)
def test_a_new_network_predicts_the_frequencies_with_weights_that_differ(plan):
    network = build_network(plan)
    frequencies = np.array([0.9, 0.1, 0.0])
    start_heads(network, frequencies)
    for head in network.heads:
        shares = torch.softmax(head.bias, 0)
        assert shares[:2].tolist() == pytest.approx([0.9, 0.1], abs=1e-3)
        assert 0 < shares[2] < 1e-3
        assert head.weight.std() > 0.05


def test_classes_that_are_known_keep_their_weights():
    network = build_network(tiny_resunet())
    before = [(head.weight.detach().clone(), head.bias.detach().clone()) for head in network.heads]
    start_heads(network, np.array([0.9, 0.1, 0.0]), known=(0, 2))
    for head, (weight, bias) in zip(network.heads, before, strict=True):
        assert torch.equal(head.weight[[0, 2]], weight[[0, 2]])
        assert torch.equal(head.bias[[0, 2]], bias[[0, 2]])
        assert not torch.equal(head.weight[1], weight[1])
