"""kneecascade.planning.memory, kneecascade.planning.patches."""

from __future__ import annotations

from math import prod

import pytest

from kneecascade.core.geometry import Int3
from kneecascade.core.plan import NetworkPlan
from kneecascade.network.build import build_network
from kneecascade.planning import memory
from kneecascade.planning.memory import estimate_training_gb
from kneecascade.planning.patches import batch_size, fits, fitted_patch
from kneecascade.planning.topology import medicalnet_plan, resunet_plan, total_stride

ISO = (1.0, 1.0, 1.0)


def fine(shape: Int3, depth: int = 10, width: int = 32, classes: int = 7) -> NetworkPlan:
    return medicalnet_plan(shape, ISO, 1, classes, depth, width)


def coarse(shape: Int3) -> NetworkPlan:
    return resunet_plan(shape, ISO, 1, 7)


# peaks of resident memory over two training steps with bf16 autocast on a CPU, by `kc_benchmark memory`
@pytest.mark.parametrize(
    ("network", "shape", "batch", "peak_gb"),
    [
        (fine((64, 104, 112)), (64, 104, 112), 2, 1.71),
        (fine((64, 104, 112), 18, 64), (64, 104, 112), 2, 2.31),
        (fine((64, 104, 112), 50), (64, 104, 112), 2, 1.98),
        (fine((56, 104, 128), classes=16), (56, 104, 128), 2, 2.25),
        (fine((26, 44, 36), classes=3), (26, 44, 36), 2, 0.63),
        (coarse((80, 80, 64)), (80, 80, 64), 2, 1.35),
        (coarse((96, 96, 80)), (96, 96, 80), 2, 1.95),
    ],
)
def test_the_estimate_is_near_measured_peaks(
    network: NetworkPlan, shape: Int3, batch: int, peak_gb: float
) -> None:
    assert 0.95 * peak_gb < estimate_training_gb(network, shape, batch) < 1.1 * peak_gb


def test_more_of_anything_is_more_memory() -> None:
    shape = (64, 96, 96)
    least = estimate_training_gb(fine(shape), shape, 2)
    assert estimate_training_gb(fine(shape), (72, 96, 96), 2) > least
    assert estimate_training_gb(fine(shape), shape, 3) > least
    assert estimate_training_gb(fine(shape, width=64), shape, 2) > least
    assert estimate_training_gb(fine(shape, classes=9), shape, 2) > least
    depths = [estimate_training_gb(fine(shape, depth), shape, 2) for depth in memory.MEDICALNET_BLOCKS]
    assert depths == sorted(set(depths))


@pytest.mark.parametrize(
    "network", [fine((64, 64, 64), 10, 8), fine((64, 64, 64), 50, 8), coarse((64, 64, 64))], ids=str
)
def test_parameters_are_counted_as_built(network: NetworkPlan) -> None:
    count = memory._resunet if network.kind == "resunet" else memory._medicalnet
    built = sum(p.numel() for p in build_network(network).parameters())
    assert count(network)[1] == pytest.approx(built, rel=0.2)


def test_the_aim_is_kept_where_it_fits() -> None:
    found = fitted_patch((61, 50, 36), fine, 8.0)
    assert found is not None
    assert found[0] == (64, 52, 36)


@pytest.mark.parametrize("memory_gb", [1.5, 2.0, 3.0, 8.0])
def test_a_large_aim_shrinks_in_proportion(memory_gb: float) -> None:
    aim = (211, 250, 130)
    found = fitted_patch(aim, fine, memory_gb)
    assert found is not None
    patch, network = found
    assert fits(patch, network, memory_gb)
    assert all(n % step == 0 for n, step in zip(patch, total_stride(network), strict=True))
    ratios = [n / a for n, a in zip(patch, aim, strict=True)]
    assert max(ratios) / min(ratios) < 1.3
    assert prod(patch) > 0.7 * 250_000 * memory_gb


def test_too_little_memory_is_told() -> None:
    assert fitted_patch((64, 96, 96), fine, 0.3) is None
    assert fitted_patch((20, 20, 20), fine, 0.3) is None


def test_the_batch_grows_only_for_small_patches_and_large_data() -> None:
    small, large = (36, 52, 36), (96, 96, 96)
    assert batch_size(small, fine(small), 8.0, 1e9) == 4
    assert batch_size(small, fine(small), 8.0, 5e6) == 3
    assert batch_size(small, fine(small), 8.0, 1e6) == 2
    assert batch_size(large, fine(large), 80.0, 1e9) == 2
    assert batch_size(small, fine(small), 0.7, 1e9) == 2
