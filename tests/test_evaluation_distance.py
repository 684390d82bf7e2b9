from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from shapes import block, radius_mm, ragged, slab

from kneecascade.core.geometry import Float3
from kneecascade.evaluation import distance
from kneecascade.evaluation.distance import Distances, surface_distances
from kneecascade.evaluation.overlap import mask_overlap
from kneecascade.evaluation.surface import corners_of, surface_of

SPACING: Float3 = (0.7, 0.4, 0.3)


def _between(a: np.ndarray, b: np.ndarray, spacing: Float3 = SPACING) -> Distances:
    found = surface_distances(surface_of(a, spacing), surface_of(b, spacing))
    assert found is not None
    return found


def _image(mask: np.ndarray, spacing: Float3) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    return image


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shifted_sheet_is_exactly_its_shift_away(axis: int) -> None:
    shape = (20, 20, 20)
    a, b = surface_of(slab(shape, axis, 4, 9), SPACING), surface_of(slab(shape, axis, 6, 11), SPACING)
    # the rim on the edge of the image is nearer to the other's rim than its shift
    middle = np.zeros_like(a.there)
    middle[tuple(slice(None) if k == axis else slice(8, 13) for k in range(3))] = True
    found = surface_distances(a, b, middle)
    assert found is not None
    for value in (found.assd_mm, found.rmsd_mm, found.hd_mm, found.percentile_mm(95)):
        assert value == pytest.approx(2 * SPACING[axis], abs=1e-9)
    assert found.surface_dice(2 * SPACING[axis]) == 1
    assert found.surface_dice(1.9 * SPACING[axis]) == 0


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.36, 0.36), (1.5, 0.3, 0.3)])
def test_concentric_balls_are_their_radii_apart(spacing: Float3) -> None:
    shape = tuple(int(26 / mm) + 4 for mm in spacing)
    radius = radius_mm(shape, spacing)  # type: ignore[arg-type]
    found = _between(radius < 9, radius < 12, spacing)
    # elements lie within a voxel of the true surface, and the nearest are those on the near side
    half = max(spacing) / 2
    assert 3 - half - 0.05 < found.assd_mm <= found.rmsd_mm <= 3.05
    assert found.hd_mm == pytest.approx(3, abs=max(spacing))
    assert found.hd_mm >= found.percentile_mm(95) >= found.assd_mm


def test_the_mean_weighs_area_not_elements() -> None:
    a = block((30, 30, 30), (5, 5, 5), (25, 25, 15))
    found = _between(a, block((30, 30, 30), (5, 5, 5), (25, 25, 17)), (1.0, 1.0, 1.0))
    # only the faces at x = 15 and 17 are apart: 2 voxels, 20 x 20 of all the area
    area = 2 * 20 * 20 + 4 * 20 * 10
    assert found.assd_mm == pytest.approx(2 * 2 * 400 / (2 * area + 4 * 20 * 2), rel=0.1)
    assert found.hd_mm == pytest.approx(2)


def test_same_and_empty() -> None:
    a = ragged(1)
    same = _between(a, a)
    assert (same.assd_mm, same.rmsd_mm, same.hd_mm, same.surface_dice(0.0)) == (0, 0, 0, 1)
    nothing = surface_of(np.zeros_like(a), SPACING)
    assert surface_distances(surface_of(a, SPACING), nothing) is None
    assert surface_distances(nothing, nothing) is None
    nowhere = np.zeros(nothing.areas_mm2.shape, dtype=bool)
    assert surface_distances(surface_of(a, SPACING), surface_of(a, SPACING), nowhere) is None


def test_only_elements_inside_are_measured_but_all_are_measured_to() -> None:
    shape = (12, 12, 30)
    a, b = block(shape, (3, 3, 4), (9, 9, 20)), block(shape, (3, 3, 6), (9, 9, 26))
    left = corners_of(slab(shape, 2, 0, 12))
    found = surface_distances(surface_of(a, (1.0,) * 3), surface_of(b, (1.0,) * 3), left)
    assert found is not None
    assert found.hd_mm == pytest.approx(2)  # the six voxels too many lie outside
    right = surface_distances(surface_of(a, (1.0,) * 3), surface_of(b, (1.0,) * 3), ~left)
    assert right is not None
    assert right.hd_mm == pytest.approx(6)


@pytest.mark.parametrize("seed", range(3))
def test_tree_and_distance_transform_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = ragged(seed), np.roll(ragged(seed + 10), 3, axis=1)
    found = []
    for near, most in ((3.0, 10**9), (0.3, 10**9), (0.0, -1)):
        monkeypatch.setattr(distance, "NEAR_MM", near)
        monkeypatch.setattr(distance, "MOST_FAR", most)
        found.append(_between(a, b))
    for other in found[1:]:
        assert np.allclose(found[0].from_reference_mm, other.from_reference_mm, atol=1e-9)
        assert np.allclose(found[0].from_predicted_mm, other.from_predicted_mm, atol=1e-9)


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), SPACING])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_published_package(seed: int, spacing: Float3) -> None:
    theirs = pytest.importorskip("surface_distance")
    a = ragged(seed)
    b = np.roll(a, (1, 2, 0), axis=(0, 1, 2)) ^ (ragged(seed + 5) & ragged(seed + 6))
    found, other = _between(a, b, spacing), theirs.compute_surface_distances(a, b, spacing)
    both = [other[f"surfel_areas_{k}"].sum() for k in ("gt", "pred")]
    means = theirs.compute_average_surface_distance(other)
    assert found.assd_mm == pytest.approx(np.average(means, weights=both), rel=1e-5)
    for percent in (50, 95):
        ours = found.percentile_mm(percent)
        assert ours == pytest.approx(theirs.compute_robust_hausdorff(other, percent), abs=1e-6)
    assert found.hd_mm == pytest.approx(theirs.compute_robust_hausdorff(other, 100), abs=1e-6)
    for tolerance in (0.25, 0.5, 1.0):
        share = theirs.compute_surface_dice_at_tolerance(other, tolerance + 1e-6)
        assert found.surface_dice(tolerance) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_simpleitk(seed: int) -> None:
    a, b = ragged(seed), np.roll(ragged(seed), (1, 2, 0), axis=(0, 1, 2))
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(_image(a, SPACING), _image(b, SPACING))
    ours = mask_overlap(a, b)
    assert ours.dice == pytest.approx(overlap.GetDiceCoefficient())
    assert ours.iou == pytest.approx(overlap.GetJaccardCoefficient())
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(_image(a, SPACING), _image(b, SPACING))
    # theirs is between voxels of the two masks, ours between elements half a voxel beside them
    limit = float(np.linalg.norm(SPACING))
    assert _between(a, b).hd_mm == pytest.approx(hausdorff.GetHausdorffDistance(), abs=limit)


@pytest.mark.parametrize(("shift", "axis"), [(1, 0), (3, 1), (4, 2)])
def test_a_shifted_block_is_as_far_as_simpleitk_says(shift: int, axis: int) -> None:
    a = block((20, 20, 20), (5, 5, 5), (12, 11, 13))
    b = np.roll(a, shift, axis=axis)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(_image(a, SPACING), _image(b, SPACING))
    assert _between(a, b).hd_mm == pytest.approx(shift * SPACING[axis], abs=1e-9)
    assert hausdorff.GetHausdorffDistance() == pytest.approx(shift * SPACING[axis], abs=1e-6)
