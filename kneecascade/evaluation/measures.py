"""Every measure of a label in a case: its name, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kneecascade.core.labels import Labels

Better = Literal["higher", "lower", "nearer 0", "neither"]
Scores = dict[str, float | None]
"""Value by name of the measure; None where it is not defined."""
CaseScores = dict[str, Scores]
"""Scores by label."""


@dataclass(frozen=True)
class Measure:
    """What a number means.

    Attributes:
        unit: "mm", "ml", "%", or "" for a share from 0 to 1.
        better: which way a prediction is better.
        title: for tables and axes.
    """

    unit: str
    better: Better
    title: str


OVERLAP = {
    "dice": Measure("", "higher", "Dice"),
    "iou": Measure("", "higher", "IoU"),
    "voe": Measure("", "lower", "volumetric overlap error"),
    "reference_ml": Measure("ml", "neither", "reference volume"),
    "predicted_ml": Measure("ml", "neither", "predicted volume"),
    "volume_difference_ml": Measure("ml", "nearer 0", "volume difference"),
    "volume_difference_percent": Measure("%", "nearer 0", "volume difference"),
}
SURFACE = {
    "assd_mm": Measure("mm", "lower", "ASSD"),
    "rmsd_mm": Measure("mm", "lower", "RMSD"),
    "hd95_mm": Measure("mm", "lower", "HD95"),
    "hd_mm": Measure("mm", "lower", "Hausdorff distance"),
}
THICKNESS = {
    "reference_thickness_mm": Measure("mm", "neither", "reference thickness (2V/S)"),
    "predicted_thickness_mm": Measure("mm", "neither", "predicted thickness (2V/S)"),
    "thickness_difference_mm": Measure("mm", "nearer 0", "thickness difference (2V/S)"),
}


@dataclass(frozen=True)
class MeasureSettings:
    """What is measured.

    Attributes:
        tolerances_mm: of the normalised surface Dice.
        cartilage: labels that are sheets: thickness, and only inside the region of interest.
    """

    tolerances_mm: tuple[float, ...] = (0.5, 1.0)
    cartilage: tuple[str, ...] = ()


def surface_dice_name(tolerance_mm: float) -> str:
    """Returns "nsd_0.5mm" for .5."""
    return f"nsd_{tolerance_mm:g}mm"


def all_measures(settings: MeasureSettings) -> dict[str, Measure]:
    """Returns every measure by its name, in the order of tables."""
    surface_dice = {
        surface_dice_name(mm): Measure("", "higher", f"surface Dice at {mm:g} mm")
        for mm in settings.tolerances_mm
    }
    return {**OVERLAP, **SURFACE, **surface_dice, **(THICKNESS if settings.cartilage else {})}


def cartilage_labels(labels: Labels) -> tuple[str, ...]:
    """Returns the labels that bear cartilage in their name."""
    return tuple(name for name in labels.foreground if "cartilage" in name.lower())
