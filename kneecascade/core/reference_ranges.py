"""What adult knees measure, to tell a surprising number from an expected one."""

from __future__ import annotations

VOLUME_RANGES_ML: dict[str, tuple[float, float]] = {
    "femoral_cartilage": (5.0, 25.0),
    "tibial_cartilage": (2.0, 9.0),
    "patellar_cartilage": (1.0, 6.0),
}
"""Wide limits around the means of osteoarthritis cohorts: 13.6 ± 2.9, 5.1 ± 1.1 and 3.5 ± 0.9 ml."""

MEAN_THICKNESS_RANGE_MM = (0.8, 4.0)
"""Of any cartilage plate; published means are 1.7 to 2.1 mm in femur and tibia."""


def volume_range_ml(label: str) -> tuple[float, float] | None:
    """Returns the expected volume of a label, or None where no range is known.

    Args:
        label: a name such as "femoral_cartilage" or "Femoral cartilage".
    """
    return VOLUME_RANGES_ML.get(label.strip().lower().replace(" ", "_").replace("-", "_"))
