"""Label arrays in the smallest type that holds them."""

from __future__ import annotations

import numpy as np


def narrow(labels: np.ndarray) -> np.ndarray:
    """Returns uint8 where all values fit, else the array itself: half the bytes to look through."""
    fits = labels.size > 0 and labels.min() >= 0 and labels.max() <= 255
    return labels.astype(np.uint8, copy=False) if fits else labels
