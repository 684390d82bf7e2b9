from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from batchgenerators.dataloading.data_loader import DataLoader
from plans import tiny_plan
from prepared import cube_case, fake_case

from kneecascade.training.cases import StageCase, into_memory, stage_case
from kneecascade.training.patches import PatchLoader, PatchSource, Sampling, cut

PATCH = (10, 12, 10)
SPACING = (1.0, 1.0, 1.0)


def source(stage="fine", **changes):
    cases = [stage_case(cube_case(k, (40, 42, 44)), stage, tiny_plan()) for k in range(3)]
    return PatchSource(cases, PATCH, SPACING, **changes)


def many(patches, n=300):
    return patches.batch(n, (0, 1, 0, 7))


def test_shares_of_target_region_and_anywhere():
    counts = Counter(many(source())["kind"])
    assert counts["anywhere"] >= 0.10 * 300
    assert counts["target"] >= 0.5 * 300
    assert counts["region"] >= 0.15 * 300


def test_patches_around_targets_hold_them_and_others_reach_the_corners():
    patches = source(enlarged=False)
    batch = many(patches)
    holds = {kind: [] for kind in ("target", "region", "anywhere")}
    for kind, label in zip(batch["kind"], batch["label"], strict=True):
        holds[kind].append(bool((label == 2).any()))
    assert np.mean(holds["target"]) > 0.95
    assert np.mean(holds["anywhere"]) < 0.6


def test_the_step_decides_everything():
    first, again, other = (source().batch(4, (0, 1, 0, step)) for step in (3, 3, 4))
    assert np.array_equal(first["image"], again["image"])
    assert np.array_equal(first["label"], again["label"])
    assert not np.array_equal(first["image"], other["image"])


def test_sources_carry_a_rim_for_augmentation():
    assert source().source_shape_zyx == (12, 16, 12)
    assert many(source(), 2)["image"].shape == (2, 1, 12, 16, 12)
    assert source(enlarged=False).source_shape_zyx == PATCH


def test_cut_pads_with_zeros_beyond_the_volume():
    array = np.arange(1, 61, dtype=np.float16).reshape(1, 3, 4, 5)
    case = StageCase("a", array, array[0].astype(np.uint8), {}, None)
    image, label = cut(case, np.array([0.0, 0.0, 0.0]), (3, 3, 3))
    assert image.shape == (1, 3, 3, 3)
    assert image[0, 1, 1, 1] == array[0, 0, 0, 0]
    assert image[0, 0].max() == 0
    assert np.array_equal(label[1:, 1:, 1:], case.label[:2, :2, :2])
    far, _ = cut(case, np.array([90.0, 0.0, 0.0]), (3, 3, 3))
    assert far.max() == 0


def test_a_volume_smaller_than_the_patch_is_shown_nearly_whole():
    case = stage_case(cube_case(1), "coarse", tiny_plan())
    patches = PatchSource([case], (20, 20, 20), SPACING, enlarged=False)
    for label in many(patches, 40)["label"]:
        assert (label > 0).sum() >= 0.7 * (case.label > 0).sum()


def test_a_case_without_targets_still_gives_patches():
    label = np.zeros((16, 16, 16), np.uint8)
    label[2:6, 2:6, 2:6] = 1
    case = stage_case(fake_case("empty", label, np.random.default_rng(0)), "fine", tiny_plan())
    assert case.target_box is None
    assert set(PatchSource([case], PATCH, SPACING).batch(5, (1,))["kind"]) == {"anywhere"}


def test_the_region_error_stays_inside_the_volume():
    wild = Sampling(on_target=0.0, in_region=1.0, margin_mm=5.0, margin_jitter_mm=60.0)
    batch = many(source(sampling=wild), 50)
    assert batch["kind"] == ["region"] * 50


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_share_the_steps_in_order(workers):
    patches, seed = source(), (0, 1, 0)
    loaders = []
    for k in range(workers):
        loader = PatchLoader(patches, 2, seed, first=5, workers=workers)
        loader.set_thread_id(k)
        loaders.append(loader)
    assert isinstance(loaders[0], DataLoader)
    for step in range(5, 11):
        batch = next(loaders[(step - 5) % workers])
        assert np.array_equal(batch["image"], patches.batch(2, (*seed, step))["image"])


def test_an_error_in_a_worker_is_told():
    patches = source()
    broken = replace(patches, cases=[replace(patches.cases[0], image=np.zeros((1, 2, 2, 2), np.float16))])
    assert (
        "case_0: its prepared arrays cannot be read (ValueError"
        in next(PatchLoader(broken, 2, (0,), first=0))["error"]
    )


def test_cases_go_into_memory_only_when_they_fit():
    cases = [stage_case(cube_case(1), "fine", tiny_plan())]
    assert cases[0].nbytes == 24 * 26 * 28 * 3
    assert into_memory(cases, cases[0].nbytes - 1)[1] is False
    held, fits = into_memory(cases, cases[0].nbytes)
    assert fits
    assert held[0].image.dtype == np.float16
    assert np.array_equal(held[0].label, cases[0].label)


def test_coarse_cases_have_their_box_on_the_coarse_grid():
    fine, coarse = (stage_case(cube_case(2), stage, tiny_plan()) for stage in ("fine", "coarse"))
    assert coarse.shape_zyx == (12, 13, 14)
    assert all(
        a // 2 == b for a, b in zip(fine.target_box.start_zyx, coarse.target_box.start_zyx, strict=True)
    )
    assert set(coarse.positions) == {2}
