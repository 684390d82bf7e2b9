"""Tells the medial from the lateral tibial cartilage of a labelled knee whose side is known."""

from __future__ import annotations

import numpy as np

from kneecascade.core.case import LabelVolume
from kneecascade.errors import ImageError
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.phantom.anatomy import NAMES

WHOLE = NAMES.index("tibial_cartilage")
MEDIAL_NAME, LATERAL_NAME = "medial_tibial_cartilage", "lateral_tibial_cartilage"


def halved_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns label names with the medial half in the place of the whole and the lateral one at the end."""
    return (*names[:WHOLE], MEDIAL_NAME, *names[WHOLE + 1 :], LATERAL_NAME)


def split_tibial_cartilage(labels: LabelVolume, side: str, lateral_value: int) -> LabelVolume:
    """Gives the lateral half of the tibial cartilage a value of its own; the medial half keeps the whole's.

    The halves meet in the middle between the cartilage's outer ends, where the tibial spines are bare.

    Args:
        labels: with the whole cartilage, on any grid.
        side: "left" or "right".
        lateral_value: what the lateral half becomes.

    Raises:
        ImageError: the side is not known.
    """
    if side not in ("left", "right"):
        raise ImageError("the side is not known, so medial and lateral are not either")
    array = labels.array.copy()
    turned = to_canonical(array, *canonical_axes(labels.geometry))  # a view: what is written here lands there
    cartilage = turned == WHOLE
    columns = np.flatnonzero(cartilage.any(axis=(0, 1)))
    if columns.size:
        middle = (columns[0] + columns[-1]) / 2
        places = np.arange(turned.shape[2])
        # x grows to the left of the body: the lateral side of a left knee
        lateral = places > middle if side == "left" else places < middle
        turned[cartilage & lateral] = lateral_value
    return LabelVolume(array, labels.geometry)
