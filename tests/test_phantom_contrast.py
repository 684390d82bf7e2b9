"""Rendered grey values: order of tissues, noise, borders, seeds."""

from dataclasses import replace

import numpy as np
import pytest

from kneecascade.cli import phantom as cli_phantom
from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.errors import ImageError
from kneecascade.phantom import tissue
from kneecascade.phantom.anatomy import labels_on, make_knee
from kneecascade.phantom.contrast import misdrawn, render
from kneecascade.phantom.grids import mirrored_geometry, oblique_geometry, regridded, side_of
from kneecascade.phantom.looks import CONTRASTS, RANGES, draw_looks
from kneecascade.phantom.noise import smooth_field
from kneecascade.phantom.sample import anatomy_sample, tiny_knee

SHAPE, SPACING = (90, 90, 60), (1.25, 1.25, 1.5)


@pytest.fixture(scope="module")
def anatomy():
    labels = labels_on(make_knee((3,), (112.5, 112.5, 90.0), "right"), SHAPE)
    return np.where(labels == 7, tissue.MENISCI, labels)


@pytest.fixture(scope="module")
def image(anatomy):
    return render(anatomy, SPACING, (4,))


def test_cartilage_is_bright_bone_and_menisci_are_dark(anatomy, image):
    median = {k: np.median(image[anatomy == k]) for k in (1, 2, 3, 4, tissue.MENISCI)}
    assert median[2] > 3 * median[1]
    assert median[4] > 3 * median[3]
    assert median[tissue.MENISCI] < 0.6 * median[2]


def test_other_contrasts_look_as_they_do(anatomy):
    def greys(contrast):
        draw = np.random.default_rng(0)
        return {k: look.grey for k, look in draw_looks(draw, contrast).items()}

    assert set(cli_phantom.CONTRASTS) == set(CONTRASTS) == {"DESS", *RANGES}
    for contrast in CONTRASTS:
        grey, fat_suppressed = greys(contrast), contrast in ("DESS", "PD-FS", "T2-FS")
        assert (grey[tissue.MARROW] < 0.7 * grey[tissue.CARTILAGE]) == fat_suppressed
        assert (grey[tissue.FAT] < 0.7 * grey[tissue.CARTILAGE]) == fat_suppressed
        assert (grey[tissue.FLUID] > grey[tissue.CARTILAGE]) == (contrast != "T1")
        assert grey[tissue.FIBROUS] < 0.5 * grey[tissue.CARTILAGE]
    # T2 darkens cartilage and muscle, with or without fat suppression
    assert RANGES["T2-FS"][-1][1] < RANGES["PD-FS"][-1][0]
    assert RANGES["T2-FS"][1][1] < RANGES["PD-FS"][1][0]
    t1 = render(anatomy, SPACING, (4,), "T1")
    assert np.median(t1[anatomy == 1]) > 1.3 * np.median(t1[anatomy == 2])


def test_something_beside_cartilage_is_as_bright(anatomy, image):
    low, high = np.percentile(image[anatomy == 2], (25, 75))
    beside = image[anatomy == 0]
    assert ((beside > low) & (beside < high)).mean() > 0.05
    assert (beside > 1.3 * high).mean() > 0.003  # fluid


def test_the_same_seed_gives_the_same_image(anatomy, image):
    assert np.array_equal(image, render(anatomy, SPACING, (4,)))
    assert not np.array_equal(image, render(anatomy, SPACING, (5,)))


def test_borders_are_misdrawn_but_only_a_little():
    labels = labels_on(make_knee((3,), (60.0, 60.0, 60.0), "right"), (150, 150, 150))
    moved = misdrawn(labels, (0.4, 0.4, 0.4), np.random.default_rng(0))
    a, b = labels == 2, moved == 2
    assert 0.8 < 2 * (a & b).sum() / (a.sum() + b.sum()) < 0.98


def test_air_is_outside_the_leg(anatomy):
    tissues = tissue.place_tissues(anatomy, SPACING, np.random.default_rng(0))
    assert set(np.unique(tissues)) >= {tissue.AIR, tissue.FAT, tissue.MUSCLE, tissue.SYNOVIUM}
    assert (tissues[:, 0] == tissue.AIR).mean() > 0.3
    assert (tissues[anatomy == 2] == tissue.CARTILAGE).all()


def test_a_smooth_field_is_smooth_and_scaled():
    field = smooth_field(np.random.default_rng(0), (40, 50, 60), (1.0, 1.0, 1.0), 10.0)
    assert field.shape == (40, 50, 60)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(field, axis=0)).max() < 0.8


def test_regridding_keeps_the_extent_and_the_corner():
    grid = oblique_geometry((20, 30, 40), (1.0, 0.5, 0.5), 8.0, np.random.default_rng(1))
    other = regridded(grid, (10, 60, 40))
    assert other.extent_mm == pytest.approx(grid.extent_mm)
    corners = []
    for g in (grid, other):
        half = -np.array(g.spacing_mm[::-1]) / 2
        corners.append(np.array(g.origin_mm_xyz) + np.array(g.direction_xyz).reshape(3, 3) @ half)
    assert corners[0] == pytest.approx(corners[1])


def test_given_anatomies_are_rendered_mirrored_and_merged(anatomy):
    array = np.where(anatomy == tissue.MENISCI, 0, anatomy).astype(np.int16)
    array[array == 3] = 8
    turned = (-0.98, 0.199, 0.0, -0.199, -0.98, 0.0, 0.0, 0.0, 1.0)
    given = LabelVolume(array, Geometry(SHAPE, SPACING, (1.0, 2.0, 3.0), turned))
    plain = anatomy_sample(given, (1,), (2.5, 2.5, 3.0), mirrored=False, side="right")
    other = anatomy_sample(given, (1,), (2.5, 2.5, 3.0), mirrored=True, side="right")
    assert plain.image.array.shape == (1, 45, 45, 30)
    assert plain.labels.geometry.shape_zyx == (45, 45, 30)
    assert set(np.unique(plain.labels.array)) <= set(range(7))
    assert (plain.labels.array == 3).any()
    # a voxel that two labels share equally goes to the one at its far end, which mirroring moves
    assert (plain.labels.array != other.labels.array[:, :, ::-1]).mean() < 0.02
    assert (plain.side, other.side) == ("right", "left")
    assert place(other.labels, 5) == pytest.approx(place(plain.labels, 5) * [-1, 1, 1], abs=0.3)


def test_the_borders_that_an_image_shows_are_off_by_the_drawing_error_alone(anatomy):
    array = np.where(anatomy == tissue.MENISCI, 0, anatomy).astype(np.int16)
    array[array == 3] = 8
    given = LabelVolume(array, Geometry(SHAPE, (0.4, 0.4, 0.4)))
    plain = anatomy_sample(given, (1,), None, mirrored=False)
    both = anatomy_sample(given, (1,), None, mirrored=False, borders=True)
    assert plain.shown is None
    assert np.array_equal(both.image.array, plain.image.array)
    assert np.array_equal(both.labels.array, plain.labels.array)
    grey, shown, drawn = both.image.array[0], both.shown.array, both.labels.array
    assert set(np.unique(shown)) == set(np.unique(drawn))
    moved = shown != drawn
    assert 0.002 < moved.mean() < 0.05
    # where they differ about femur and its cartilage, which is far brighter, the image is with the borders
    bone, cartilage = moved & (shown == 1) & (drawn == 2), moved & (shown == 2) & (drawn == 1)
    assert cartilage.any()
    assert bone.any()
    assert grey[cartilage].mean() > 1.1 * grey[bone].mean()


def place(labels, value):
    """Mean place of a label in LPS mm."""
    g = labels.geometry
    middle = np.argwhere(labels.array == value).mean(axis=0)[::-1] * g.spacing_mm[::-1]
    return np.array(g.origin_mm_xyz) + np.array(g.direction_xyz).reshape(3, 3) @ middle


def test_a_mirrored_grid_is_the_other_sides_and_right_handed():
    grid = oblique_geometry((20, 30, 40), (1.0, 0.5, 0.5), 8.0, np.random.default_rng(1))
    grid = replace(grid, origin_mm_xyz=(-70.0, 5.0, 6.0))
    other = mirrored_geometry(grid)
    assert np.linalg.det(np.array(other.direction_xyz).reshape(3, 3)) == pytest.approx(1)
    assert (side_of(grid), side_of(other)) == ("right", "left")
    back = mirrored_geometry(other)
    assert back.origin_mm_xyz == pytest.approx(grid.origin_mm_xyz)
    assert back.direction_xyz == pytest.approx(grid.direction_xyz)


@pytest.mark.parametrize("value", [0, 12, -1])
def test_a_map_that_is_no_knee_is_refused(value):
    given = LabelVolume(np.full((8, 8, 8), value, np.int16), Geometry((8, 8, 8), (1.0, 1.0, 1.0)))
    with pytest.raises(ImageError, match="expected 1 to 6"):
        anatomy_sample(given, (0,), None, mirrored=False)


def test_a_tiny_knee_is_complete():
    sample = tiny_knee(1)
    assert sample.image.array.shape == (1, *sample.labels.array.shape)
    assert set(np.unique(sample.labels.array)) == set(range(8))
    assert sample.image.array.min() >= 0
