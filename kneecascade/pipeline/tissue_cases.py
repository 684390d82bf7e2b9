"""Prepared cases whose images are maps of tissues, to be painted while training."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kneecascade.console import tracked
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan
from kneecascade.errors import SettingsError
from kneecascade.phantom.tissue import MENISCI, place_tissues
from kneecascade.preprocessing.store import StoredCase

ANATOMY = {
    "femur": 1,
    "femoral_cartilage": 2,
    "tibia": 3,
    "tibial_cartilage": 4,
    "medial_tibial_cartilage": 4,
    "lateral_tibial_cartilage": 4,
    "patella": 5,
    "patellar_cartilage": 6,
    "menisci": MENISCI,
    "meniscus": MENISCI,
    "medial_meniscus": MENISCI,
    "lateral_meniscus": MENISCI,
}
"""What a label of this name is made of."""


def tissue_cases(cases: Sequence[StoredCase], plan: CascadePlan, seed: int) -> list[StoredCase]:
    """Returns the cases with tissues in place of grey values, in memory.

    Soft tissue, skin and air are placed around the labels at random, once for each case and stage.

    Args:
        cases: prepared; their labels are read.
        plan: says the label names and spacings; one channel.
        seed: of what surrounds the labels.

    Raises:
        SettingsError: the data set has several channels, or a label that is no tissue known here.
    """
    table = anatomy_table(plan.labels)
    if len(plan.channel_names) != 1:
        raise SettingsError(
            f"{plan.dataset_name}: painted images have one channel, not {len(plan.channel_names)}"
        )
    changed = []
    for case in tracked(cases, "placing tissues", len(cases)):
        own = (seed, zlib.crc32(case.name.encode()))
        fine = _tissues(np.asarray(case.label[:]), table, plan.fine.spacing_mm, (*own, 0))
        coarse = _tissues(np.asarray(case.coarse_label[:]), table, plan.coarse.spacing_mm, (*own, 1))
        changed.append(replace(case, image=fine, coarse_image=coarse))  # type: ignore[arg-type]
    return changed


def anatomy_table(labels: Labels) -> np.ndarray:
    """Returns the anatomy of each class index, as `phantom.tissue.place_tissues` numbers it.

    Raises:
        SettingsError: a label's name is not known.
    """
    table = np.zeros(labels.count, np.uint8)
    for index, name in enumerate(labels.names):
        if index == 0:
            continue
        if name.lower() not in ANATOMY:
            known = ", ".join(sorted(ANATOMY))
            raise SettingsError(f"label {name}: no tissue to paint it with; known are {known}")
        table[index] = ANATOMY[name.lower()]
    return table


def _tissues(classes: np.ndarray, table: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...]) -> np.ndarray:
    placed = place_tissues(table[classes], spacing_mm, np.random.default_rng(seed))
    return placed.astype(np.float16)[None]
