import pytest
import torch
from plans import tiny_plan
from prepared import cube_case
from torch import nn

from kneecascade.network.device import Device
from kneecascade.training.cases import stage_case
from kneecascade.training.heldout import HeldOut, fixed_patches, watch
from kneecascade.training.patches import PatchSource

CPU = Device(torch.device("cpu"), None, "CPU")
NAMES = ("background", "bone", "cartilage")


class Says(nn.Module):
    """Predicts what the image holds: grey value 0, 1 or 2."""

    def forward(self, x):
        return 20 * torch.cat([(x == k).float() for k in range(3)], dim=1)


def test_patches_are_fixed_and_go_round_the_cases():
    cases = [stage_case(cube_case(k), "fine", tiny_plan()) for k in range(3)]
    source = PatchSource(cases, (8, 8, 8), (1.0,) * 3)
    first, again = (fixed_patches(source, 3, (0, 1, 2)) for _ in range(2))
    assert [len(image) for image, _ in first.batches] == [3, 3, 2]
    assert first.batches[0][0].shape == (3, 1, 8, 8, 8)
    for (a, b), (c, d) in zip(first.batches, again.batches, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_dice_over_all_patches_by_hand():
    labels = torch.zeros(2, 4, 4, 4, dtype=torch.uint8)
    labels[0, :2] = 1  # 32 voxels
    seen = labels.clone()
    seen[0, 1] = 0  # 16 of them found
    held_out = HeldOut(tuple((seen[k : k + 1, None].half(), labels[k : k + 1]) for k in range(2)))
    network = Says().train()
    loss, dice = watch(network, held_out, NAMES, CPU)
    assert dice["bone"] == pytest.approx(2 * 16 / (16 + 32), abs=1e-4)
    assert dice["cartilage"] is None
    assert loss > 0.5
    assert network.training


def test_without_cases_there_is_nothing_to_watch():
    nothing = fixed_patches(PatchSource([], (8, 8, 8), (1.0,) * 3), 2, (0,))
    assert watch(Says(), nothing, NAMES, CPU) == (None, {})
