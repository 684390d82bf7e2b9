"""Tells in a few lines what a plan chose."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from statistics import median

from kneecascade.console import say, show_table
from kneecascade.core.fingerprint import CaseFingerprint, DatasetFingerprint
from kneecascade.core.plan import CascadePlan, NetworkPlan, StagePlan
from kneecascade.planning.region_rules import target_extents


def say_plan(plan: CascadePlan, fingerprint: DatasetFingerprint, folds: int) -> None:
    """Prints spacings, patches, networks, targets, region size over image size, folds."""
    header = ["stage", "mm (z y x)", "patch", "batch", "network", "GB"]
    rows = [_row("coarse", plan.coarse), _row("fine", plan.fine)]
    show_table(f"Plan of {plan.dataset_name}", header, rows)
    rest = [name for name in plan.labels.foreground if name not in plan.targets]
    stay = f"; outside it the coarse stage draws {', '.join(rest)}" if rest else ""
    share = region_share(plan, fingerprint.cases)
    say(
        f"Region: box around {', '.join(plan.targets)} with {plan.region.margin_mm:g} mm margin, "
        f"{100 * share:.0f} % of the image{stay}"
    )
    mirrored = "left-right mirroring" if plan.mirror_axes else "no mirroring, labels tell sides apart"
    if plan.canonical_side != "none":
        mirrored += f", and every knee is brought to the {plan.canonical_side}"
    intensities = ", ".join(sorted(set(plan.normalization)))
    if plan.denoise:
        chain = " + ".join(chosen.kind for chosen in plan.denoise)
        intensities = f"{chain} ({plan.denoise_seconds:.1f} s a case), {intensities}"
    say(f"Intensities: {intensities}; {mirrored}; {folds} folds")


def region_share(plan: CascadePlan, cases: Sequence[CaseFingerprint]) -> float:
    """Returns the median of region volume over image volume; 1 where no case holds a target."""
    shares = []
    for case in cases:
        image = [n * mm for n, mm in zip(case.shape_zyx, case.spacing_mm, strict=True)]
        for extent in target_extents(plan.targets, [case]):
            grown = [min(e + 2 * plan.region.margin_mm, i) for e, i in zip(extent, image, strict=True)]
            shares.append(prod(grown) / prod(image))
    return median(shares) if shares else 1.0


def _row(name: str, stage: StagePlan) -> list[str]:
    return [
        name,
        " ".join(f"{mm:.4g}" for mm in stage.spacing_mm),
        "x".join(str(n) for n in stage.patch_shape_zyx),
        str(stage.batch_size),
        network_name(stage.network),
        f"{stage.estimated_memory_gb:.1f}",
    ]


def network_name(network: NetworkPlan) -> str:
    """Returns a network's name in a few words, "MedicalNet-10 + ASPP"."""
    if network.kind == "resunet":
        return f"ResUNet {network.features[0]}..{network.features[-1]}"
    return f"MedicalNet-{network.depth} + ASPP"
