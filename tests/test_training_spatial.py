import math

import numpy as np
import pytest
import torch

from kneecascade.training.spatial import affine_matrix, allowed_turns, cut_centre, resample_affine

ISOTROPIC = (1.0, 1.0, 1.0)


def blocky(shape=(20, 22, 24)):
    labels = torch.zeros(shape, dtype=torch.uint8)
    labels[5:12, 6:16, 8:13] = 1
    labels[12:16, 4:9, 10:20] = 2
    return labels


def test_identity_cuts_the_centre():
    labels = blocky()
    image = torch.rand(2, 20, 22, 24)
    matrix = affine_matrix((0, 0, 0), ISOTROPIC, (3.0, 1.0, 0.5))
    moved, kept = resample_affine(image, labels, matrix, (16, 16, 18))
    assert torch.allclose(moved, cut_centre(image, (16, 16, 18)), atol=1e-5)
    assert torch.equal(kept, cut_centre(labels, (16, 16, 18)))


def test_quarter_turn_about_z_is_a_rotation_of_the_array():
    image = torch.rand(1, 7, 9, 9)
    labels = (image[0] * 5).to(torch.uint8)
    matrix = affine_matrix((math.pi / 2, 0, 0), ISOTROPIC, ISOTROPIC)
    moved, kept = resample_affine(image, labels, matrix, (7, 9, 9))
    turned = [torch.rot90(labels, k, (1, 2)) for k in (1, 3)]
    assert any(torch.equal(kept, t) for t in turned)
    assert any(torch.allclose(moved, torch.rot90(image, k, (2, 3)), atol=1e-4) for k in (1, 3))


@pytest.mark.parametrize("angles", [(0.2, 0.0, 0.0), (0.0, 0.2, -0.1), (0.25, -0.2, 0.15)])
def test_image_and_labels_move_together(angles):
    labels = blocky()
    image = (labels == 1).float()[None] * 10
    matrix = affine_matrix(angles, (1.1, 1.1, 1.1), (1.5, 1.0, 0.8))
    moved, kept = resample_affine(image, labels, matrix, (18, 20, 20))
    inside = kept == 1
    assert inside.any()
    # Linear and nearest differ by half a voxel at the surface, by no more than that inside.
    assert moved[0][inside].min() > 0
    assert ((moved[0] > 5) != inside).float().mean() < 0.03


def test_agrees_with_grid_sample():
    torch.manual_seed(0)
    image, target = torch.rand(1, 12, 14, 16), (8, 10, 12)
    matrix = affine_matrix((0.1, -0.2, 0.15), (0.9, 0.9, 0.9), (2.0, 1.0, 1.0))
    moved, _ = resample_affine(image, torch.zeros(12, 14, 16, dtype=torch.uint8), matrix, target)
    unit = matrix * np.array(target)[None, :] / np.array(image.shape[1:])[:, None]
    theta = torch.zeros(1, 3, 4)
    theta[0, :, :3] = torch.tensor(unit[::-1, ::-1].copy())
    grid = torch.nn.functional.affine_grid(theta, [1, 1, *target], align_corners=False)
    wanted = torch.nn.functional.grid_sample(image[None], grid, padding_mode="border", align_corners=False)
    assert torch.allclose(moved, wanted[0], atol=1e-4)


def test_scale_over_one_enlarges():
    labels = torch.zeros(21, 21, 21, dtype=torch.uint8)
    labels[8:13, 8:13, 8:13] = 1
    matrix = affine_matrix((0, 0, 0), (1.25,) * 3, ISOTROPIC)
    _, kept = resample_affine(labels[None].float(), labels, matrix, (17, 17, 17))
    assert kept.sum() > 1.4 * labels.sum()


def test_turn_keeps_lengths_in_mm_on_an_anisotropic_grid():
    spacing = np.array([3.0, 1.0, 0.5])
    matrix = affine_matrix((0.3, 0.2, -0.4), ISOTROPIC, tuple(spacing))
    in_mm = spacing[:, None] * matrix / spacing[None, :]
    assert np.allclose(in_mm @ in_mm.T, np.eye(3))


def test_thick_slices_turn_only_about_their_normal():
    assert allowed_turns((3.5, 0.3, 0.3)) == (True, False, False)
    assert allowed_turns((0.3, 0.3, 3.5)) == (False, False, True)
    assert allowed_turns((0.7, 0.365, 0.365)) == (True, True, True)
