"""Prepared cases whose images are maps of tissues, to be painted while training."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kneecascade.console import tracked
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import Trace
from kneecascade.errors import SettingsError
from kneecascade.imaging.files import read_labels
from kneecascade.imaging.orientation import to_canonical
from kneecascade.imaging.resample import resample_labels
from kneecascade.phantom import tissue as t
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


THIN = (t.CARTILAGE, t.CORTEX, t.MENISCUS, t.TENDON, t.SKIN, t.FIBROUS, t.VESSEL)
"""Tissues that stay closed where a grid gets coarser."""


def tissue_cases(
    cases: Sequence[StoredCase], plan: CascadePlan, seed: int, maps: Path | None = None
) -> list[StoredCase]:
    """Returns the cases with tissues in place of grey values, in memory.

    Where a case has a map of its own the tissues are those; else soft tissue, skin and air are placed
    around its labels at random, once for each case and stage.

    Args:
        cases: prepared; their labels are read.
        plan: says the label names and spacings; one channel.
        seed: of what surrounds the labels.
        maps: folder of maps on the images' grids, NAME.nii.gz each; None, or no file, for none.

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
        file = maps / f"{case.name}.nii.gz" if maps else None
        if file and file.is_file():
            changed.append(_with_map(case, file))
            continue
        own = (seed, zlib.crc32(case.name.encode()))
        fine = _tissues(np.asarray(case.label[:]), table, plan.fine.spacing_mm, (*own, 0))
        coarse = _tissues(np.asarray(case.coarse_label[:]), table, plan.coarse.spacing_mm, (*own, 1))
        changed.append(replace(case, image=fine, coarse_image=coarse))  # type: ignore[arg-type]
    return changed


def _with_map(case: StoredCase, file: Path) -> StoredCase:
    trace: Trace = case.trace
    turned = to_canonical(read_labels(file).array, trace.axes_zyx, trace.flips_zyx)
    tissues = np.ascontiguousarray(turned).astype(np.uint8)
    fine, coarse = (
        resample_labels(tissues, t.FATTY + 1, shape, THIN).astype(np.float16)[None]
        for shape in (trace.fine_shape_zyx, trace.coarse_shape_zyx)
    )
    return replace(case, image=fine, coarse_image=coarse)  # type: ignore[arg-type]


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
