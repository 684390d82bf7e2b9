import math

import pytest
import torch

from kneecascade.training.loss import dice_cross_entropy, segmentation_loss, shrink_labels


def logits_of(labels, classes, sharpness):
    return sharpness * torch.nn.functional.one_hot(labels.long(), classes).movedim(-1, 1).float()


def some_labels():
    labels = torch.zeros(2, 4, 6, 8, dtype=torch.uint8)
    labels[:, 1:3, 1:4, 2:6] = 1
    labels[0, 3, :, :] = 2
    return labels


def test_perfect_prediction_costs_nothing():
    labels = some_labels()
    assert float(dice_cross_entropy(logits_of(labels, 3, 50.0), labels)) == pytest.approx(0, abs=1e-4)


def test_even_probabilities_by_hand():
    labels = torch.zeros(1, 1, 2, 5, dtype=torch.uint8)
    labels[0, 0, 0, :2] = 1  # 2 of 10 voxels
    loss = dice_cross_entropy(torch.zeros(1, 2, 1, 2, 5), labels)
    dice = 2 * (2 * 0.5) / (10 * 0.5 + 2)
    assert float(loss) == pytest.approx(1 - dice + math.log(2), abs=1e-5)


def test_a_class_that_is_absent_has_no_dice():
    labels = some_labels()[1:]  # holds no class 2
    with_absent = dice_cross_entropy(logits_of(labels, 3, 3.0), labels)
    probabilities = torch.softmax(logits_of(labels, 3, 3.0), 1)
    inside = labels == 1
    dice = 2 * probabilities[:, 1][inside].sum() / (probabilities[:, 1].sum() + inside.sum())
    entropy = -probabilities.gather(1, labels.long()[:, None]).log().mean()
    assert float(with_absent) == pytest.approx(float(1 - dice + entropy), abs=1e-4)


def test_background_alone_is_cross_entropy_alone():
    labels = torch.zeros(1, 2, 2, 2, dtype=torch.uint8)
    loss = dice_cross_entropy(torch.zeros(1, 4, 2, 2, 2), labels)
    assert float(loss) == pytest.approx(math.log(4), abs=1e-5)


def test_outputs_weigh_half_of_the_one_before():
    labels = some_labels()
    good, bad = logits_of(labels, 3, 50.0), torch.zeros(2, 3, 2, 3, 4)
    coarse = dice_cross_entropy(bad, shrink_labels(labels, (2, 3, 4)))
    assert float(segmentation_loss([good, bad], labels)) == pytest.approx(float(coarse) / 3, abs=1e-4)


def test_a_step_downhill_lowers_the_loss():
    torch.manual_seed(0)
    labels, logits = some_labels(), torch.randn(2, 3, 4, 6, 8, requires_grad=True)
    before = segmentation_loss([logits], labels)
    before.backward()
    after = segmentation_loss([logits.detach() - 10 * logits.grad], labels)
    assert float(after) < float(before.detach())


def test_shrinking_takes_the_nearest_centre():
    labels = torch.arange(8).reshape(1, 1, 1, 8)
    assert shrink_labels(labels, (1, 1, 4)).flatten().tolist() == [1, 3, 5, 7]
    assert shrink_labels(labels, (1, 1, 8)) is labels
    assert shrink_labels(labels, (1, 1, 3)).flatten().tolist() == [1, 4, 6]
