"""Makes the plan of the cascade from the fingerprint of a data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from math import prod

import kneecascade
from kneecascade.core.colors import Rgb, default_colors
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import CaseFingerprint, DatasetFingerprint
from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.plan import CascadePlan, NetworkPlan, Normalization, RegionPlan, StagePlan
from kneecascade.errors import PlanError, SettingsError
from kneecascade.planning.memory import MEDICALNET_BLOCKS, estimate_training_gb
from kneecascade.planning.patches import Topology, batch_size, fits, fitted_patch
from kneecascade.planning.region_rules import median_of, region_plan, target_extents
from kneecascade.planning.sides import choose_canonical_side, to_one_side
from kneecascade.planning.spacing import coarse_spacing, fine_spacing, median_extent, shape_at
from kneecascade.planning.targets import choose_targets, mirror_axes, thin_labels
from kneecascade.planning.topology import (
    PUBLISHED_WIDTH,
    medicalnet_plan,
    resunet_plan,
    rounded_up,
    total_stride,
)

DEFAULT_MEMORY_GB = 8.0
# the smallest encoder at half the published width: in short trainings depth earned nothing; 64 where
# published weights are loaded (`widen_to_pretrained`)
DEFAULT_DEPTH = 10
DEFAULT_WIDTH = 32
# a coarse image of this many voxels is a whole knee at about 1 mm; finer only costs time
MOST_COARSE_VOXELS = 1_700_000

# nnU-Net's channel names that choose a normalisation; every other channel is taken for MR
NORMALIZATIONS: dict[str, Normalization] = {"nonorm": "none", "zscore": "zscore", "ct": "zscore"}


def make_plan(
    dataset: Dataset,
    fingerprint: DatasetFingerprint,
    memory_gb: float = DEFAULT_MEMORY_GB,
    fine_depth: int | None = None,
    fine_width: int | None = None,
) -> CascadePlan:
    """Chooses everything: spacings, patches, networks, targets, the rules of the region.

    Args:
        dataset: names of channels and labels; perhaps its own choice of targets.
        fingerprint: what was measured of its training cases.
        memory_gb: memory that a training step may take.
        fine_depth: of the MedicalNet encoder, instead of 10.
        fine_width: of the MedicalNet encoder, instead of 32.

    Raises:
        SettingsError: no plan fits the memory, or there is no such depth or width.
    """
    _check_settings(memory_gb, fine_depth, fine_width)
    canonical = choose_canonical_side(dataset, fingerprint.cases)
    cases, labels = to_one_side(dataset, fingerprint.cases, canonical), dataset.labels
    sizes = (len(dataset.channel_names), labels.count)
    fine_mm, image_mm = fine_spacing(cases), median_extent(cases)
    fine_net = partial(
        _fine_network, fine_mm, sizes, fine_depth or DEFAULT_DEPTH, fine_width or DEFAULT_WIDTH
    )
    coarse_mm = _coarse_spacing(fine_mm, image_mm, sizes, fine_net, memory_gb)
    targets = choose_targets(labels.foreground, cases, coarse_mm, dataset.targets)
    region = region_plan(targets, cases, coarse_mm, image_mm)
    region_mm = _region_extent(targets, cases, region.margin_mm, image_mm)
    fine_patch = _fine_patch(shape_at(region_mm, fine_mm), fine_net, memory_gb)
    coarse_patch = _coarse_patch(coarse_mm, image_mm, sizes)
    stage = partial(_stage, cases, labels.foreground, memory_gb)
    fine, coarse = stage(fine_mm, *fine_patch), stage(coarse_mm, *coarse_patch)
    return _cascade(dataset, fingerprint, float(memory_gb), targets, region, coarse, fine)


def _cascade(
    dataset: Dataset,
    fingerprint: DatasetFingerprint,
    memory_gb: float,
    targets: tuple[str, ...],
    region: RegionPlan,
    coarse: StagePlan,
    fine: StagePlan,
) -> CascadePlan:
    return CascadePlan(
        version=kneecascade.__version__,
        dataset_name=dataset.name,
        data_hash=fingerprint.data_hash,
        channel_names=dataset.channel_names,
        labels=dataset.labels,
        file_ending=dataset.file_ending,
        targets=targets,
        normalization=tuple(choose_normalization(name) for name in dataset.channel_names),
        memory_gb=memory_gb,
        mirror_axes=mirror_axes(dataset.labels.foreground),
        region=region,
        coarse=coarse,
        fine=fine,
        canonical_side=choose_canonical_side(dataset, fingerprint.cases),
        colors=_colors(dataset),
    )


def _colors(dataset: Dataset) -> tuple[Rgb, ...]:
    names = dataset.labels.names
    pairs = zip(names, default_colors(names), strict=True)
    return tuple(dataset.colors.get(name, color) for name, color in pairs)


def widen_to_pretrained(plan: CascadePlan, depth: int) -> CascadePlan:
    """Returns the plan with the published fine encoder: this depth and width 64.

    Raises:
        PlanError: there is no such depth.
    """
    if depth not in MEDICALNET_BLOCKS:
        raise PlanError(f"fine.network.depth: {depth} is none of {', '.join(map(str, MEDICALNET_BLOCKS))}")
    old = plan.fine.network
    if old.kind != "medicalnet_aspp":
        raise PlanError(f"fine.network.kind: {old.kind} cannot hold MedicalNet weights")
    network = dataclasses.replace(old, depth=depth, width=PUBLISHED_WIDTH, aspp_channels=2 * PUBLISHED_WIDTH)
    estimate = estimate_training_gb(network, plan.fine.patch_shape_zyx, plan.fine.batch_size)
    fine = dataclasses.replace(plan.fine, network=network, estimated_memory_gb=estimate)
    return dataclasses.replace(plan, fine=fine)


def choose_normalization(channel_name: str) -> Normalization:
    """Returns the normalisation of a channel: percentile-clipped z-score, unless its name says other."""
    return NORMALIZATIONS.get(channel_name.lower(), "percentile_zscore")


def _fine_network(
    spacing_mm: Float3, sizes: tuple[int, int], depth: int, width: int, shape_zyx: Int3
) -> NetworkPlan:
    return medicalnet_plan(shape_zyx, spacing_mm, *sizes, depth, width)


def _fine_patch(aim_zyx: Int3, network: Topology, memory_gb: float) -> tuple[Int3, NetworkPlan]:
    found = fitted_patch(aim_zyx, network, memory_gb)
    if found is None:
        raise _too_little(memory_gb)
    return found


def _coarse_patch(spacing_mm: Float3, image_mm: Float3, sizes: tuple[int, int]) -> tuple[Int3, NetworkPlan]:
    """Returns the whole median image, rounded up to the network's stride, with the network."""
    shape = shape_at(image_mm, spacing_mm)
    network = resunet_plan(shape, spacing_mm, *sizes)
    return rounded_up(shape, total_stride(network)), network


def _coarse_spacing(
    fine_mm: Float3,
    image_mm: Float3,
    sizes: tuple[int, int],
    fine_net: Topology,
    memory_gb: float,
) -> Float3:
    """Returns the coarse spacing at which the whole median image is one patch within the memory."""
    whole = shape_at(image_mm, fine_mm)
    network = fine_net(whole)
    one_patch = fits(rounded_up(whole, total_stride(network)), network, memory_gb)

    def small_enough(spacing_mm: Float3) -> bool:
        patch, coarse = _coarse_patch(spacing_mm, image_mm, sizes)
        return prod(patch) <= MOST_COARSE_VOXELS and fits(patch, coarse, memory_gb)

    found = coarse_spacing(fine_mm, small_enough, one_patch)
    if found is None:
        raise _too_little(memory_gb)
    return found


def _region_extent(
    targets: Sequence[str], cases: Sequence[CaseFingerprint], margin_mm: float, image_mm: Float3
) -> Float3:
    extents = target_extents(targets, cases) or [image_mm]
    z, y, x = (
        min(part + 2 * margin_mm, whole) for part, whole in zip(median_of(extents), image_mm, strict=True)
    )
    return (z, y, x)


def _stage(
    cases: Sequence[CaseFingerprint],
    names: Sequence[str],
    memory_gb: float,
    spacing_mm: Float3,
    patch: Int3,
    network: NetworkPlan,
) -> StagePlan:
    voxels = sum(
        prod(n * mm / new for n, mm, new in zip(case.shape_zyx, case.spacing_mm, spacing_mm, strict=True))
        for case in cases
    )
    batch = batch_size(patch, network, memory_gb, voxels)
    return StagePlan(
        spacing_mm=spacing_mm,
        patch_shape_zyx=patch,
        batch_size=batch,
        thin_labels=thin_labels(names, cases, spacing_mm),
        estimated_memory_gb=estimate_training_gb(network, patch, batch),
        network=network,
    )


def _check_settings(memory_gb: float, depth: int | None, width: int | None) -> None:
    if not 0 < memory_gb < 10_000:
        raise SettingsError(f"--memory-gb {memory_gb:g}: must be a number of GB above 0")
    if depth is not None and depth not in MEDICALNET_BLOCKS:
        raise SettingsError(f"--fine-depth {depth}: choose one of {', '.join(map(str, MEDICALNET_BLOCKS))}")
    if width is not None and not 4 <= width <= 256:
        raise SettingsError(f"--fine-width {width}: must be from 4 to 256")


def _too_little(memory_gb: float) -> SettingsError:
    return SettingsError(f"--memory-gb {memory_gb:g}: too little for any plan of this data set; give more")
