"""kneecascade.planning.planner."""

from __future__ import annotations

from math import prod

import pytest
from fingerprints import dataset, knees

from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.plan import CascadePlan
from kneecascade.errors import PlanError, SettingsError
from kneecascade.planning.plan_file import check_plan
from kneecascade.planning.planner import choose_normalization, make_plan, widen_to_pretrained
from kneecascade.planning.topology import total_stride

SETS: dict[str, tuple[Int3, Float3, int]] = {
    "hippocampus": ((35, 50, 36), (1.0, 1.0, 1.0), 1),
    "tiny": ((9, 12, 11), (1.0, 1.0, 1.0), 1),
    "thick slices": ((512, 512, 24), (0.3, 0.3, 3.5), 1),
    "few thick slices": ((320, 320, 5), (0.5, 0.5, 6.0), 1),
    "isotropic": ((320, 320, 320), (0.5, 0.5, 0.5), 1),
    "oai dess": ((384, 384, 160), (0.36458, 0.36458, 0.7), 1),
    "half dess": ((192, 192, 160), (0.72917, 0.72917, 0.7), 1),
    "qdess": ((512, 512, 160), (0.3125, 0.3125, 0.8), 2),
    "axial": ((60, 400, 400), (1.5, 0.4, 0.4), 1),
}


def planned(name: str, memory_gb: float = 8.0, cases: int = 20) -> CascadePlan:
    shape, spacing, channels = SETS[name]
    return make_plan(dataset(channels), knees(shape, spacing, channels, cases), memory_gb)


@pytest.mark.parametrize("memory_gb", [2.0, 3.0, 8.0, 24.0])
@pytest.mark.parametrize("name", SETS)
def test_every_kind_of_data_gets_a_plan_that_fits(name: str, memory_gb: float) -> None:
    shape, spacing, channels = SETS[name]
    plan = planned(name, memory_gb)
    check_plan(plan)
    for stage, smallest in ((plan.coarse, 4), (plan.fine, 8)):
        assert stage.estimated_memory_gb <= memory_gb
        assert stage.batch_size >= 2
        assert stage.network.in_channels == channels
        strides = total_stride(stage.network)
        for n, step in zip(stage.patch_shape_zyx, strides, strict=True):
            assert n % step == 0
            assert step == 1 or n // step >= smallest
    # the whole image is one coarse patch
    sizes = zip(shape, spacing, plan.coarse.spacing_mm, strict=True)
    whole = [round(n * mm / coarse) for n, mm, coarse in sizes]
    assert all(n >= w for n, w in zip(plan.coarse.patch_shape_zyx, whole, strict=True))


@pytest.mark.parametrize("memory_gb", [2.0, 8.0])
@pytest.mark.parametrize("name", ["thick slices", "isotropic", "oai dess", "half dess", "qdess", "axial"])
def test_coarse_is_twice_coarser_or_has_thick_slices(name: str, memory_gb: float) -> None:
    plan = planned(name, memory_gb)
    fine, coarse = plan.fine.spacing_mm, plan.coarse.spacing_mm
    for k in range(3):
        others = max(coarse[j] for j in range(3) if j != k)
        assert coarse[k] >= 2 * fine[k] - 1e-6 or (coarse[k] == fine[k] and fine[k] >= others)


def test_oai_dess_is_seen_at_about_a_millimetre() -> None:
    plan = planned("oai dess")
    z, y, x = plan.coarse.spacing_mm
    assert z == y
    assert 0.9 <= z <= 1.1
    assert 1.3 <= x <= 1.5
    assert plan.targets == ("femoral_cartilage", "tibial_cartilage")
    assert 1e6 < prod(plan.coarse.patch_shape_zyx) < 2e6
    assert prod(plan.fine.patch_shape_zyx) > 1.5e6
    assert prod(planned("half dess", 3.0).fine.patch_shape_zyx) < 0.8e6


def test_a_small_image_is_one_patch_in_both_stages() -> None:
    plan = planned("hippocampus", cases=160)
    assert plan.coarse.spacing_mm == plan.fine.spacing_mm == (1.0, 1.0, 1.0)
    assert plan.coarse.batch_size == 4
    assert plan.coarse.patch_shape_zyx == (40, 56, 40)
    assert planned("hippocampus", cases=3).coarse.batch_size == 2


def test_more_memory_never_means_a_smaller_patch() -> None:
    sizes = [prod(planned("oai dess", gb).fine.patch_shape_zyx) for gb in (2, 3, 5, 8, 12, 24)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_depth_and_width_are_taken() -> None:
    shape, spacing, _ = SETS["hippocampus"]
    plan = make_plan(dataset(), knees(shape, spacing), fine_depth=34, fine_width=16)
    assert plan.fine.network.kind == "medicalnet_aspp"
    assert (plan.fine.network.depth, plan.fine.network.width) == (34, 16)


def test_widening_changes_only_the_fine_network() -> None:
    plan = planned("half dess")
    wide = widen_to_pretrained(plan, 50)
    check_plan(wide)
    network = wide.fine.network
    assert network.kind == "medicalnet_aspp"
    assert (network.depth, network.width, network.aspp_channels) == (50, 64, 128)
    assert wide.fine.patch_shape_zyx == plan.fine.patch_shape_zyx
    assert wide.fine.estimated_memory_gb > plan.fine.estimated_memory_gb
    assert wide.coarse == plan.coarse
    with pytest.raises(PlanError, match="depth: 20 is none of 10, 18"):
        widen_to_pretrained(plan, 20)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_gb": 0.3}, "too little for any plan"),
        ({"memory_gb": -1.0}, "must be a number of GB"),
        ({"memory_gb": float("nan")}, "must be a number of GB"),
        ({"fine_depth": 20}, "--fine-depth 20: choose one of 10, 18"),
        ({"fine_width": 2}, "--fine-width 2"),
    ],
)
def test_unusable_settings_are_refused(changes: dict[str, float], message: str) -> None:
    shape, spacing, _ = SETS["half dess"]
    with pytest.raises(SettingsError, match=message):
        make_plan(dataset(), knees(shape, spacing, cases=2), **changes)  # type: ignore[arg-type]


def test_channel_names_choose_the_normalisation() -> None:
    names = ("MRI", "DESS", "noNorm", "zscore", "CT")
    chosen = ["percentile_zscore", "percentile_zscore", "none", "zscore", "zscore"]
    assert [choose_normalization(name) for name in names] == chosen
